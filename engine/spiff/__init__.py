"""SpiffWorkflow behind one class: `engine.spiff.process.Process`."""
