"""Makes a program of the unmodified MQL source: what C++ reads differently is rewritten on the way, nothing else.

``"text"`` becomes a literal of the shim's string, dynamic arrays become containers with checked bounds, functions get
prototypes because MQL4 lets them be used before they stand.
"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
FOLDER = HERE.parents[2] / "mt4"
MQ4, MQ5 = FOLDER / "CalmnessFi_EA.mq4", FOLDER / "CalmnessFi_EA.mq5"
_TOKENS = re.compile(r"//[^\n]*|'(?:[^'\\\n]|\\.)+'|\"(?:[^\"\\\n]|\\.)*\"")
_TYPES = "void|int|uint|long|bool|double|string|datetime|ushort|char"
_FUNCTION = re.compile(rf"^((?:{_TYPES})) (\w+)\(([^)]*)\)\s*$", re.MULTILINE)
_REFERENCE = re.compile(rf"\b({_TYPES}) ?&(\w+)\[\]")
_ARRAY = re.compile(rf"\b({_TYPES}) (\w+)\[\](\s*=\s*\{{|;)")


def compiler() -> str:
    """The C++ compiler of this machine, empty when it has none."""
    return shutil.which("g++") or shutil.which("clang++") or ""


def translated(source: str, name: str = MQ4.name) -> str:
    """The source as C++, line by line where it was."""
    text = re.sub(r"^#property[^\n]*", "", source, flags=re.MULTILINE)
    text = _TOKENS.sub(_literal, text)
    text = _REFERENCE.sub(r"mql_array<\1> &\2", text)
    text = _ARRAY.sub(r"mql_array<\1> \2\3", text)
    prototypes = " ".join(f"{kind} {name}({given});" for kind, name, given in _FUNCTION.findall(text))
    number = name[-1]
    return f'#include "mql{number}.h"\n{prototypes}\n#line 1 "{name}"\n{text}\n#include "terminal{number}.h"\n'


def build(folder: Path, source: Path = MQ4) -> None:
    """Compile into a folder: ``terminal`` is the program."""
    program = compiler()
    if not program:
        pytest.fail("The EA's tests compile it: this machine has no C++ compiler (Debian: apt install g++).", False)
    folder.mkdir()
    (folder / "ea.cpp").write_text(translated(source.read_text(encoding="utf-8"), source.name), encoding="utf-8")
    strict = ["-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter", "-D_GLIBCXX_ASSERTIONS"]
    command = [program, "-std=c++17", "-O1", *strict, f"-I{HERE}"]
    done = subprocess.run(
        [*command, "-o", folder / "terminal", folder / "ea.cpp"], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        pytest.fail(f"The EA does not compile:\n{done.stderr[:6000]}", pytrace=False)


def _literal(token: re.Match[str]) -> str:
    found = token.group()
    return f"u{found}_s" if found.startswith('"') else found
