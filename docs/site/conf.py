"""`make docs`: the documents as pages, by Sphinx and MyST; their sources stay plain Markdown."""

from service import __version__

project = "Tocsin"
author = "The Tocsin authors"
version = release = __version__
extensions = ["myst_parser"]
include_patterns = ["*.md", "docs/*.md", "docs/adr/*.md", "docs/site/*.md"]
exclude_patterns = ["build", "docs/site/README.md"]
root_doc = "docs/site/index"
myst_heading_anchors = 4
html_theme = "furo"
html_title = "Tocsin"
html_show_copyright = False
