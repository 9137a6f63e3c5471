from .html import render_html as render_html
from .html import write_html as write_html
from .text import format_text as format_text
