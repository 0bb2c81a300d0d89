"""PDF by xhtml2pdf: only our own HTML and files, nothing from outside, the same bytes every time."""

from calmness.pdf.render import PdfNotRendered, draw, fitting, printable, render

__all__ = ["PdfNotRendered", "draw", "fitting", "printable", "render"]
