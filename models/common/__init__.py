"""What the recipes share: texts, fonts, drawn lines and pages, wear and tear, a training loop."""
