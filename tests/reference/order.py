"""Reading order, written the obvious way: every pair against every third box, recursion for the sort."""

from __future__ import annotations

Box = tuple[float, float, float, float]


def separated(boxes: list[Box], i: int, j: int) -> bool:
    """Whether a third box lies between boxes i and j (x0, y0, x1, y1)."""
    u, v = boxes[i], boxes[j]
    top, bottom = min(u[1], v[1]), max(u[3], v[3])
    thirds = [w for w in boxes if w not in (u, v)]
    return any(w[3] >= top and w[1] <= bottom and w[0] < u[2] and w[2] > v[0] for w in thirds)


def before(boxes: list[Box], i: int, j: int, rl: bool) -> bool:
    """Whether box i precedes box j."""
    u, v = boxes[i], boxes[j]
    if u[0] < v[2] and u[2] > v[0]:
        return u[1] < v[1]
    return (u[2] < v[0]) != rl and not separated(boxes, i, j)


def partial_order(boxes: list[Box], rl: bool = False) -> list[list[bool]]:
    """Matrix of :func:`before`."""
    n = len(boxes)
    return [[i != j and before(boxes, i, j, rl) for j in range(n)] for i in range(n)]


def partial_order_rl(boxes: list[Box]) -> list[list[bool]]:
    """The same by the rule for right-to-left text."""
    return partial_order(boxes, rl=True)


def topsort(order: list[list[bool]]) -> list[int]:
    """Depth-first: all predecessors in index order, then the element itself."""
    done: set[int] = set()
    result: list[int] = []

    def visit(k: int) -> None:
        done.add(k)
        for i in range(len(order)):
            if order[i][k] and i not in done:
                visit(i)
        result.append(k)

    for k in range(len(order)):
        if k not in done:
            visit(k)
    return result


def order_boxes(boxes: list[Box], right_to_left: bool = False) -> list[int]:
    """Reading order of boxes; right to left is left to right in the mirror."""
    if right_to_left:
        boxes = [(-x1, y0, -x0, y1) for x0, y0, x1, y1 in boxes]
    return topsort(partial_order(boxes))
