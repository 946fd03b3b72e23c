"""Official documents: numbered, made from templates as docx and PDF (GB/T 9704-2012), kept."""
