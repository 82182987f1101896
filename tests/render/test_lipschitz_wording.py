"""The lines below the Lipschitz constants."""

from dataclasses import replace

from lipcert.records import Skipped
from lipcert.render.wording.lipschitz import reading
from tests.render.models import full_model, layer


def test_the_reading_tells_both_ends_the_product_and_the_costly_layers() -> None:
    first, costs = reading(full_model())
    assert "by 11.9 a unit" in first
    assert "none by more than 19.4" in first
    assert "says 52.2, 2.68 times as much" in first
    assert costs.index("conv1 ") < costs.index("conv2 26 %")


def test_the_factor_of_a_capped_layer_is_its_norm() -> None:
    model = full_model()
    (_, costs) = reading(replace(model, layers=(layer(share=1.0),)))
    assert costs.startswith("most of the product: conv1 100 %")
    assert costs.endswith("factor of up to 3.28)")


def test_without_an_upper_end_nothing_is_said() -> None:
    model = full_model()
    assert reading(replace(model, lipschitz=Skipped(reason="no rule"))) == []
    assert reading(replace(model, lipschitz=model.lipschitz[2:])) == []
    alone = reading(replace(model, lipschitz=model.lipschitz[1:2], layers=()))
    assert len(alone) == 1
    assert "product" not in alone[0]
