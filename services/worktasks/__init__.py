"""Tasks of the work report and superiors' directives: rhythm, targets, named deadlines (§6.4, §6.5)."""
