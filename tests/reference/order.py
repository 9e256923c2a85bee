"""Reading order, written the obvious way: every pair against every third box, recursion for the sort."""

from __future__ import annotations

Box = tuple[float, float, float, float]


def before(boxes: list[Box], i: int, j: int) -> bool:
    """Whether box i (x0, y0, x1, y1) precedes box j, text running left to right."""
    ux0, uy0, ux1, uy1 = boxes[i]
    vx0, vy0, vx1, vy1 = boxes[j]
    if ux0 < vx1 and ux1 > vx0:
        return uy0 < vy0
    for w in boxes:
        if w in (boxes[i], boxes[j]):
            continue
        wx0, wy0, wx1, wy1 = w
        if wy1 >= min(uy0, vy0) and wy0 <= max(uy1, vy1) and wx0 < ux1 and wx1 > vx0:
            return False
    return ux1 < vx0


def partial_order(boxes: list[Box]) -> list[list[bool]]:
    """Matrix of :func:`before`."""
    n = len(boxes)
    return [[i != j and before(boxes, i, j) for j in range(n)] for i in range(n)]


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
