"""A scikit-learn classifier that is a circuit: cross-validate it like any other, then optimise and prove what it fitted."""

from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import cross_val_score

from hardwire import LogicClassifier, optimize, stage_costs
from hardwire.verify import prove

if __name__ == "__main__":
    x, y = load_breast_cancer(return_X_y=True)
    model = LogicClassifier(layers=2, width=300, steps=300, batch=32, learning_rate=0.03, random_state=0)
    print(f"cross-validated accuracy {100 * cross_val_score(model, x, y, cv=5).mean():.1f} %")
    circuit = model.fit(x, y).circuit_
    small, _ = optimize(circuit)
    print(f"{small!r}: {stage_costs(circuit)['network']} -> {stage_costs(small)['network']}, {prove(circuit, small)}")
