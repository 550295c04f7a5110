"""The site: Markdown pages, a furo theme, and model pages made from `models/` when it is built.

`python -m sphinx -W docs docs/_build` builds it, without a network.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "myelode"
author = "The myelode developers"
project_copyright = "The myelode developers"
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "mathml",
    "docstrings",
    "model_directives",
    "command_line",
]
exclude_patterns = ["_build"]
suppress_warnings = ["config.cache"]

myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

# Much of the text is code, whose quotation marks are meant as they are.
smartquotes = False
autodoc_typehints = "none"
autodoc_member_order = "bysource"

html_theme = "furo"
html_title = "myelode"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_math_renderer = "mathml"
html_copy_source = False
html_show_sphinx = False
# The site reads the same tomorrow as today.
html_last_updated_fmt = None


def setup(app):
    """Antimony is coloured like C, whose comments and punctuation it shares."""
    from pygments.lexers import CLexer

    app.add_lexer("antimony", CLexer)
