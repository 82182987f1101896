"""What `lipcert audit --dry-run` says."""

from __future__ import annotations

from lipcert.audit.cost import Cost
from lipcert.render import notation


def cost_text(cost: Cost) -> str:
    """The cost of what is left, by analysis."""
    lines = [
        f"{cost.models:,} models to do, {notation.size(cost.bytes)}; {cost.done:,} done before",
        "",
        f"{'analysis':<16}{'CPU core hours':>16}{'GPU hours':>12}",
    ]
    for name, hours in cost.cpu.items():
        if hours:
            lines.append(f"{name:<16}{_hours(hours):>16}{_hours(cost.gpu[name]):>12}")
    lines.append(f"{'together':<16}{_hours(sum(cost.cpu.values())):>16}{_hours(sum(cost.gpu.values())):>12}")
    basis = f"scaled by {cost.measured:,} measured results" if cost.measured else "from sizes of files alone"
    lines += [
        "",
        f"on this machine about {notation.duration(3600 * cost.wall)} with {cost.jobs} at a time on CPUs",
        f"an estimate within a factor of three or so, {basis}",
    ]
    return "\n".join(lines) + "\n"


def _hours(value: float) -> str:
    return f"{value:,.1f}" if value >= 10 else f"{value:.3f}"
