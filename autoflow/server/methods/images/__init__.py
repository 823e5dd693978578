"""Methods about images: labels, figures, tags, filters, previews."""
