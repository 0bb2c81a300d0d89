"""PDF by xhtml2pdf: only our own HTML and files, nothing from outside, the same bytes every time."""

from calmness.pdf.render import PdfNotRendered, fitting, printable, render

__all__ = ["PdfNotRendered", "fitting", "printable", "render"]
