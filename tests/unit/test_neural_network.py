"""The model and its loss, against torch's own layers and distributions."""

from typing import Any

import pytest
import torch
import torch.nn as nn
import torch.nn.functional as F

from neural_network import (
    LOGVAR_RANGE,
    VAE,
    BernoulliNLL,
    OverlapConvTranspose2d,
    PatchConv2d,
    PatchConvTranspose2d,
    VAEConfig,
    vae_loss,
)


def images(n: int) -> torch.Tensor:
    return torch.rand(n, 1, 28, 28, generator=torch.Generator().manual_seed(0))


@pytest.mark.guarantee("model-and-loss")
def test_shapes_and_ranges() -> None:
    model = VAE()
    x = images(3)
    mu, logvar = model.encode(x)
    assert mu.shape == logvar.shape == (3, 2)
    decoded = model.decode(mu)
    assert decoded.shape == (3, 1, 28, 28)
    assert decoded.min() >= 0
    assert decoded.max() <= 1
    logits, mu, logvar = model(x)
    assert logits.shape == (3, 1, 28, 28)
    assert torch.equal(model.decode(mu), torch.sigmoid(model.decoder(mu)))


@pytest.mark.guarantee("model-and-loss")
def test_the_parameter_budget() -> None:
    count = sum(p.numel() for p in VAE().parameters())
    assert 1_200_000 <= count <= 1_350_000


def test_model_is_convolutional() -> None:
    model = VAE()
    assert any(isinstance(m, nn.Conv2d) for m in model.encoder.modules())
    assert any(isinstance(m, nn.ConvTranspose2d) for m in model.decoder.modules())


@pytest.mark.parametrize("latent_dim", [1, 2, 10])
def test_other_latent_dimensions(latent_dim: int) -> None:
    model = VAE(VAEConfig(latent_dim=latent_dim))
    logits, mu, _ = model(images(2))
    assert logits.shape == (2, 1, 28, 28)
    assert mu.shape == (2, latent_dim)


@pytest.mark.parametrize("field", ["latent_dim", "decoder_channels"])
@pytest.mark.parametrize("value", [0, -1, 1.5, True, "2", 4097])
def test_invalid_configuration_is_named(field: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"{field} is {value!r}"):
        VAEConfig(**{field: value})


def test_logvar_is_clamped() -> None:
    model = VAE()
    with torch.no_grad():
        model.encoder.out.bias.copy_(torch.tensor([0.0, 0.0, 1e6, -1e6]))
    _, logvar = model.encode(images(2))
    assert torch.equal(logvar, torch.tensor([LOGVAR_RANGE[::-1]] * 2))


def test_reparameterize_is_the_normal_of_the_posterior() -> None:
    model = VAE()
    mu, logvar = torch.tensor([[1.0, -2.0]]), torch.tensor([[0.5, -1.5]])
    generator = torch.Generator().manual_seed(3)
    z = model.reparameterize(mu.expand(200_000, 2), logvar.expand(200_000, 2), generator)
    assert torch.allclose(z.mean(0), mu[0], atol=0.01)
    assert torch.allclose(z.var(0), logvar.exp()[0], rtol=0.02)
    again = model.reparameterize(
        mu.expand(200_000, 2), logvar.expand(200_000, 2), torch.Generator().manual_seed(3)
    )
    assert torch.equal(z, again)


@pytest.mark.guarantee("model-and-loss")
def test_loss_agrees_with_torch_distributions() -> None:
    torch.manual_seed(0)
    x = images(16).round()
    logits, mu, logvar = 3 * torch.randn(16, 1, 28, 28), torch.randn(16, 2), torch.randn(16, 2)
    loss = vae_loss(logits, x, mu, logvar, beta=4.0)
    likelihood = torch.distributions.Bernoulli(logits=logits).log_prob(x)
    posterior = torch.distributions.Normal(mu, (logvar / 2).exp())
    kl = torch.distributions.kl_divergence(posterior, torch.distributions.Normal(0.0, 1.0))
    torch.testing.assert_close(loss.recon, -likelihood.sum((1, 2, 3)).mean(), rtol=1e-4, atol=0)
    torch.testing.assert_close(loss.kl, kl.sum(1).mean(), rtol=1e-4, atol=0)
    torch.testing.assert_close(loss.loss, loss.recon + 4 * loss.kl, rtol=1e-6, atol=0)


def test_loss_accepts_grey_images_and_bfloat16_logits() -> None:
    x, mu = images(4), torch.zeros(4, 2)
    logits = torch.randn(4, 1, 28, 28, generator=torch.Generator().manual_seed(1))
    p = torch.sigmoid(logits.double())
    expected = -(x * p.log() + (1 - x) * (1 - p).log()).sum((1, 2, 3)).mean()
    loss = vae_loss(logits, x, mu, mu, beta=1.0)
    torch.testing.assert_close(loss.recon.double(), expected, rtol=1e-5, atol=0)
    assert loss.kl == 0
    low = vae_loss(logits.bfloat16(), x, mu, mu, beta=1.0)
    assert low.recon.dtype == torch.float32
    torch.testing.assert_close(low.recon, loss.recon, rtol=1e-2, atol=0)


@pytest.mark.parametrize("size", [2, 4])
def test_patch_layers_equal_the_general_convolutions(size: int) -> None:
    torch.manual_seed(0)
    x = torch.randn(3, 5, 8, 8, requires_grad=True)
    down, up = PatchConv2d(5, 7, size), PatchConvTranspose2d(5, 7, size)
    expected_down = F.conv2d(x, down.weight, down.bias, stride=size)
    expected_up = F.conv_transpose2d(x, up.weight, up.bias, stride=size)
    torch.testing.assert_close(down(x), expected_down)
    torch.testing.assert_close(up(x), expected_up)
    for layer, expected in ((down, expected_down), (up, expected_up)):
        assert layer.bias is not None
        inputs = [x, layer.weight, layer.bias]
        found = torch.autograd.grad(layer(x).square().sum(), inputs)
        reference = torch.autograd.grad(expected.square().sum(), inputs)
        torch.testing.assert_close(found, reference)


@pytest.mark.parametrize(("stride", "padding", "channels"), [(2, 1, 1), (2, 0, 3), (3, 2, 2)])
def test_the_overlapping_layer_equals_the_general_convolution(
    stride: int, padding: int, channels: int
) -> None:
    torch.manual_seed(0)
    x = torch.randn(3, 5, 4, 6, requires_grad=True)
    layer = OverlapConvTranspose2d(5, channels, stride, padding)
    assert layer.bias is not None
    expected = F.conv_transpose2d(x, layer.weight, layer.bias, stride, padding)
    torch.testing.assert_close(layer(x), expected)
    assert layer(x[:0]).shape == (0, *expected.shape[1:]), "no image"
    inputs = [x, layer.weight, layer.bias]
    found = torch.autograd.grad(layer(x).square().sum(), inputs)
    torch.testing.assert_close(found, torch.autograd.grad(expected.square().sum(), inputs))


def test_the_reconstruction_loss_has_the_exact_gradient_at_zero_and_far_from_it() -> None:
    logits = torch.tensor([0.0, -0.0, 1e-4, -3.0, 17.0, -80.0, 300.0], requires_grad=True)
    x = torch.tensor([0.0, 1.0, 0.3, 0.7, 1.0, 0.2, 0.5])
    loss = BernoulliNLL.apply(logits, x)
    expected = F.binary_cross_entropy_with_logits(logits, x, reduction="sum")
    torch.testing.assert_close(loss, expected)
    gradient = torch.autograd.grad(loss * 2, logits)
    torch.testing.assert_close(gradient, torch.autograd.grad(expected * 2, logits))
    assert gradient[0][0] == 1, "2 * (sigmoid(0) - 0)"
