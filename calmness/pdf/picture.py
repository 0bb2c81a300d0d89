"""A page of a PDF as a picture, so that people see the real document in a page, on a phone too."""

import io

import pypdfium2


def first_page(pdf: bytes, width: int = 900) -> bytes:
    """PNG of the first page, ``width`` pixels wide."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        page = document[0]
        picture = page.render(scale=width / page.get_width()).to_pil()
    finally:
        document.close()
    out = io.BytesIO()
    picture.quantize(64).save(out, "PNG")
    return out.getvalue()
