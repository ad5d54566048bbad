"""What a PDF says and looks like, by a reader that is not ours."""

import pypdfium2


def text_of(pdf: bytes) -> str:
    """All of its text, without white space."""
    with pypdfium2.PdfDocument(pdf) as document:
        pages = [document[index].get_textpage().get_text_range() for index in range(len(document))]
    return "".join("".join(pages).split())


def image_of(pdf: bytes) -> memoryview:
    """Its first page as grey pixels, at some 300 dots an inch."""
    with pypdfium2.PdfDocument(pdf) as document:
        page = document[0].render(scale=4, grayscale=True)
        return memoryview(bytes(page.buffer)).cast("B", (page.height, page.stride))
