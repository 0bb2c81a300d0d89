"""Copy browser packages, icons and fonts from pinned npm packages into the checkout: ``make vendor``.

The results are committed, so that running and testing need no Node. Fonts are cut to French and English, and get the
narrow no-break space (U+202F) that both families lack: every French amount has it, and a browser would take its
blank from another font.
"""

import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ROOT / "vendor"
MODULES = PACKAGES / "node_modules"
STATIC = ROOT / "calmness" / "static"
PDF_FONTS = ROOT / "calmness" / "pdf" / "fonts"

FILES = {
    "htmx.org": ("dist/htmx.min.js", "LICENSE"),
    "socket.io-client": ("dist/socket.io.esm.min.js", "LICENSE"),
}
LETTERS = "".join(map(chr, range(0x20, 0x7F))) + "".join(map(chr, range(0xA0, 0x180)))
SIGNS = "–—‘’“”„†•…‰‹›€−≤≥≈→←↑↓×÷«»\u2009\u202f\u00a0ŒœŸÿ"
FEATURES = ["kern", "calt", "ccmp", "locl", "tnum", "liga", "rvrn"]


def main() -> None:
    """Install the pinned packages, then write every vendored file again."""
    subprocess.run(["npm", "ci" if (PACKAGES / "package-lock.json").exists() else "install"], cwd=PACKAGES, check=True)
    shutil.rmtree(STATIC / "vendor", ignore_errors=True)
    listing = [copy_package(name, files) for name, files in FILES.items()]
    write_sprite()
    cut_fonts()
    (STATIC / "vendor" / "vendor.json").write_text(json.dumps(listing, indent=2) + "\n")


def copy_package(name: str, files: tuple[str, ...]) -> dict[str, object]:
    """Copy named files of a package; gives its line of ``vendor.json``."""
    package = json.loads((MODULES / name / "package.json").read_text())
    target = STATIC / "vendor" / name
    target.mkdir(parents=True)
    hashes = {}
    for file in files:
        source = MODULES / name / file
        if not source.exists():
            continue
        # A source map's name would make browsers ask for a file that is not served.
        content = re.sub(rb"\n?//# sourceMappingURL=\S+\s*$", b"\n", source.read_bytes())
        (target / source.name).write_bytes(content)
        hashes[source.name] = hashlib.sha256(content).hexdigest()
    return {"name": name, "version": package["version"], "licence": package["license"], "sha256": hashes}


def write_sprite() -> None:
    """Write ``img/icons.svg``: one symbol for each name of ``icons.txt``."""
    symbols = []
    for name in sorted(set((PACKAGES / "icons.txt").read_text().split())):
        drawing = (MODULES / "lucide-static" / "icons" / f"{name}.svg").read_text()
        shapes = re.search(r"<svg[^>]*>(.*)</svg>", drawing, re.DOTALL)
        if shapes is None:
            raise SystemExit(f"no drawing in {name}.svg")
        body = re.sub(r">\s+<", "><", shapes.group(1).strip())
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{body}</symbol>')
    sprite = '<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n"
    (STATIC / "img" / "icons.svg").write_text(sprite)
    shutil.copy(MODULES / "lucide-static" / "LICENSE", STATIC / "img" / "LICENSE-lucide")


def cut_fonts() -> None:
    """Cut both families for the browser (variable, woff2) and Inter for the PDF (static TTF)."""
    inter = MODULES / "@fontsource-variable" / "inter"
    fraunces = MODULES / "@fontsource-variable" / "fraunces"
    for name, package, blank in (("inter", inter, 0x2009), ("fraunces", fraunces, 0xA0)):
        font = merged(package, name, blank)
        shrink(font)
        font.flavor = "woff2"
        font.save(STATIC / "fonts" / f"{name}.woff2")
        shutil.copy(package / "LICENSE", STATIC / "fonts" / f"LICENSE-{name}")
    PDF_FONTS.mkdir(parents=True, exist_ok=True)
    for style, weight in (("Regular", 400), ("Bold", 700)):
        font = instantiateVariableFont(merged(inter, "inter", 0x2009), {"wght": weight})
        shrink(font)
        # Both cuts come from one file: without names of their own a PDF takes the second for the first.
        for identity, text in (
            (1, "Inter"),
            (2, style),
            (3, f"Inter {style}"),
            (4, f"Inter {style}"),
            (6, f"Inter-{style}"),
        ):
            font["name"].setName(text, identity, 3, 1, 0x409)
            font["name"].setName(text, identity, 1, 0, 0)
        font.flavor = None
        font.save(PDF_FONTS / f"Inter-{style}.ttf")
    shutil.copy(inter / "LICENSE", PDF_FONTS / "LICENSE")


def merged(package: Path, name: str, blank: int) -> TTFont:
    """Latin part of a variable font with U+202F drawn as ``blank``."""
    font = TTFont(package / "files" / f"{name}-latin-wght-normal.woff2")
    for table in font["cmap"].tables:
        glyph = table.cmap.get(blank) or table.cmap.get(0xA0) or table.cmap.get(0x20)
        if glyph and table.isUnicode():
            table.cmap.setdefault(0x202F, glyph)
            table.cmap.setdefault(0xA0, table.cmap[0x20])
    return font


def shrink(font: TTFont) -> None:
    """Keep the letters of French and English and the features that figures need."""
    options = subset.Options(layout_features=FEATURES, name_IDs=[0, 1, 2, 3, 4, 5, 6, 13, 14], notdef_outline=True)
    cutter = subset.Subsetter(options)
    cutter.populate(text=LETTERS + SIGNS)
    cutter.subset(font)


if __name__ == "__main__":
    main()
