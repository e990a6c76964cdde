"""Draws what a program wrote to a terminal, as HTML for a browser to photograph.

script -qfc 'make mnist' session.txt
python3 terminal_picture.py session.txt 'make mnist' >session.html
chromium --headless --no-sandbox --hide-scrollbars --force-device-scale-factor=1.5 \\
    --window-size=950,800 --screenshot=session.png session.html

Understands line feed, carriage return, backspace and the colours that cornu uses; nothing else is needed here.
"""
import html
import re
import sys

COLOURS = {32: "#4ec96f", 33: "#d7a83e", 31: "#e06c6c", 36: "#5bb8c9", 37: "#5c6370", 90: "#7d8590"}


def cells(text):
    """Lines of (character, style), after all overwriting."""
    lines, column, style = [[]], 0, ()
    for token in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|[^\x1b]", text):
        if token.startswith("\x1b"):
            if token.endswith("m"):
                codes = [int(c) for c in token[2:-1].split(";") if c]
                style = () if codes in ([], [0]) else style + tuple(codes)
            elif token.endswith("K"):
                del lines[-1][column:]
        elif token == "\n":
            lines.append([])
            column = 0
        elif token == "\r":
            column = 0
        elif token == "\b":
            column = max(0, column - 1)
        else:
            line = lines[-1]
            line.extend([(" ", ())] * (column + 1 - len(line)))
            line[column] = (token, style)
            column += 1
    return lines


def css(style):
    rules, i = [], 0
    while i < len(style):
        code = style[i]
        if code in (38, 48) and style[i + 1 : i + 2] == (2,):
            rules.append("%s:rgb%s" % ("color" if code == 38 else "background", tuple(style[i + 2 : i + 5])))
            i += 5
            continue
        if code == 1:
            rules.append("font-weight:bold")
        elif code in COLOURS:
            rules.append("color:" + COLOURS[code])
        i += 1
    return ";".join(rules)


def main():
    text = open(sys.argv[1], encoding="utf-8", newline="").read()
    text = re.sub(r"^Script started[^\n]*\n", "", text)
    text = re.sub(r"\r?\n?Script done[^\n]*\n?$", "", text)
    print("<!DOCTYPE html><meta charset=utf-8><style>body{margin:0;background:#0d1117}pre{margin:16px;color:#d6dce4;"
          "font:13px/1.25 'DejaVu Sans Mono',monospace}</style><pre>")
    print("<b>$ %s</b>" % html.escape(sys.argv[2]))
    for line in cells(text):
        row, last = "", None
        for character, style in line:
            if style != last:
                row += ("</span>" if last is not None else "") + '<span style="%s">' % css(style)
                last = style
            row += html.escape(character)
        print(row + ("</span>" if last is not None else ""))
    print("</pre>")


main()
