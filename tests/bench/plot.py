"""plot.py - draws how work grows: a plot with logarithmic axes, as SVG, without a library."""

import math

WIDTH, HEIGHT = 640, 400
LEFT, RIGHT, TOP, BOTTOM = 76, 190, 44, 52
COLORS = ["#1f6feb", "#d1730a", "#2d8a4e", "#8250df"]


def decades(values):
    """The powers of ten from just below the least value to just above the largest."""
    low = math.floor(math.log10(min(values)) + 1e-9)
    high = math.ceil(math.log10(max(values)) - 1e-9)
    return low, max(high, low + 1)


def number(value):
    """1000000 is "1 000 000"; 0.001 is "0.001"."""
    return f"{value:,.0f}".replace(",", " ") if value >= 1 else f"{value:g}"


def escape(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


class Axes:
    def __init__(self, series):
        self.x_low, self.x_high = decades([x for _, points in series for x, _ in points])
        self.y_low, self.y_high = decades([y for _, points in series for _, y in points])

    def x(self, value):
        share = (math.log10(value) - self.x_low) / (self.x_high - self.x_low)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(self, value):
        share = (math.log10(value) - self.y_low) / (self.y_high - self.y_low)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

    def grid(self):
        lines = []
        for power in range(self.x_low, self.x_high + 1):
            x = self.x(10**power)
            lines.append(f'<path class="grid" d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}"/>')
            lines.append(
                f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">'
                f"{number(10.0**power)}</text>"
            )
        for power in range(self.y_low, self.y_high + 1):
            y = self.y(10**power)
            lines.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>')
            lines.append(
                f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{number(10.0**power)}</text>'
            )
        return lines


def draw(path, title, x_label, y_label, series):
    """Writes the plot of `series`, a list of (name, [(x, y), ...]) with x and y over 0."""
    axes = Axes(series)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{escape(title)}</title>",
        "<style>text{font:12px sans-serif;fill:#333}.grid{stroke:#ddd;fill:none}"
        ".line{fill:none;stroke-width:2}.title{font-weight:bold}</style>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text class="title" x="{LEFT}" y="24">{escape(title)}</text>',
    ]
    lines += axes.grid()
    for index, (name, points) in enumerate(series):
        color = COLORS[index % len(COLORS)]
        at = [(axes.x(x), axes.y(y)) for x, y in points]
        path_data = "L".join(f"{x:.1f} {y:.1f}" for x, y in at)
        lines.append(f'<path class="line" stroke="{color}" d="M{path_data}"/>')
        for (x, y), (value_x, value_y) in zip(at, points):
            tip = f"{number(value_x)}: {value_y:.4g}"
            lines.append(
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{color}">'
                f"<title>{tip}</title></circle>"
            )
        y = TOP + 14 + 20 * index
        lines.append(f'<path class="line" stroke="{color}" d="M{WIDTH - RIGHT + 14} {y - 4}h16"/>')
        lines.append(f'<text x="{WIDTH - RIGHT + 36}" y="{y}">{escape(name)}</text>')
    lines.append(
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 12}" text-anchor="middle">'
        f"{escape(x_label)}</text>"
    )
    middle = (TOP + HEIGHT - BOTTOM) / 2
    lines.append(
        f'<text transform="translate(16 {middle}) rotate(-90)" text-anchor="middle">'
        f"{escape(y_label)}</text>"
    )
    lines.append("</svg>")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
