"""PDF by xhtml2pdf: only our own HTML and files, nothing from outside, the same bytes every time."""
