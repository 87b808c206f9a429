"""wordcount.py - an everyday Python program: reads its own standard library,
counts words and sizes, keeps an index in memory and prints the top of it.

Look for: where the memory of a plain `python3` is. The objects are not in
malloc's heap but in CPython's arenas, mappings of 1 MiB each (256 KiB before
3.10); recorded with --python-malloc each object is a block of its own.
"""
import collections
import json
import os
import re
import sysconfig

WORD = re.compile(r"[A-Za-z_]{3,}")


def sources(folder, limit):
    names = sorted(n for n in os.listdir(folder) if n.endswith(".py"))
    return [os.path.join(folder, n) for n in names[:limit]]


def index(paths):
    """word -> {file -> count}, kept whole: this is what the memory is for."""
    table = collections.defaultdict(dict)
    for path in paths:
        with open(path, encoding="utf-8", errors="replace") as file:
            for word, count in collections.Counter(WORD.findall(file.read())).items():
                table[word][os.path.basename(path)] = count
    return table


def main():
    table = index(sources(sysconfig.get_paths()["stdlib"], 120))
    total = {word: sum(files.values()) for word, files in table.items()}
    top = sorted(total.items(), key=lambda item: (-item[1], item[0]))[:5]
    text = json.dumps(table)
    print(f"{len(table)} words, {len(text)} bytes of index; most frequent:",
          ", ".join(f"{word} {count}" for word, count in top))


main()
