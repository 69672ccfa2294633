"""The box at the gate, the desk, the lab computer: reads cards, judges, keeps, sends."""
