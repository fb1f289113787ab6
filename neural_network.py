"""The variational autoencoder (Kingma and Welling 2013): encoder, decoder and loss.

    x --Conv2d, Linear--> mu, logvar --reparameterize--> z --Linear, ConvTranspose2d--> logits

Images are 28 x 28, grey, in [0, 1]. The decoder returns logits; only `VAE.decode` applies the
sigmoid.
"""

from typing import Any, NamedTuple, cast

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from latent_navigator.model_config import VAEConfig

__all__ = ["LOGVAR_RANGE", "VAE", "Decoder", "Encoder", "VAEConfig", "VAELoss", "vae_loss"]

SIDE = 28  # pixels, width and height of an image
PATCH = 4  # pixels, side of the patches that the encoder reads
GRID = SIDE // PATCH  # 7 patches per side

# exp(-12 / 2) is a posterior 400 times narrower than the prior, exp(4 / 2) one seven times wider.
# Beyond them q(z|x) has no meaning, and unclamped training has reached a KL of 1e29.
LOGVAR_RANGE = (-12.0, 4.0)


class VAELoss(NamedTuple):
    """Scalars in nats per image (summed over pixels and dimensions, averaged over the batch)."""

    loss: Tensor  # recon + beta * kl
    recon: Tensor  # -E_q[log p(x|z)], one sample of z
    kl: Tensor  # KL(q(z|x) || N(0, I)), unweighted


class PatchConv2d(nn.Conv2d):
    """A Conv2d whose kernel size equals its stride, so that patches do not overlap.

    Weights and results are those of nn.Conv2d, computed as a single matrix product: on a CPU the
    layer and its gradient take a fraction of the time of the general convolution.
    """

    def __init__(self, in_channels: int, out_channels: int, size: int) -> None:
        super().__init__(in_channels, out_channels, kernel_size=size, stride=size)

    def forward(self, x: Tensor) -> Tensor:
        """x (N, in, H, W) -> (N, out, H / size, W / size)."""
        n, c, h, w = x.shape
        k = self.kernel_size[0]
        patches = x.reshape(n, c, h // k, k, w // k, k).permute(0, 2, 4, 1, 3, 5)
        patches = patches.reshape(n, h // k, w // k, c * k * k)
        out = F.linear(patches, self.weight.flatten(1), self.bias)  # (n, h/k, w/k, out)
        return out.permute(0, 3, 1, 2)  # (n, out, h/k, w/k), channels last in memory


class PatchConvTranspose2d(nn.ConvTranspose2d):
    """A ConvTranspose2d whose kernel size equals its stride; see `PatchConv2d`."""

    def __init__(self, in_channels: int, out_channels: int, size: int) -> None:
        super().__init__(in_channels, out_channels, kernel_size=size, stride=size)

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]  # the size is fixed by x
        """x (N, in, H, W) -> (N, out, H * size, W * size)."""
        assert self.bias is not None
        n, c, h, w = x.shape
        k, o = self.kernel_size[0], self.out_channels
        weight = self.weight.permute(2, 3, 1, 0).reshape(k * k * o, c)
        out = F.linear(x.permute(0, 2, 3, 1), weight, self.bias.repeat(k * k))
        out = out.view(n, h, w, k, k, o).transpose(2, 3).reshape(n, h * k, w * k, o)
        return out.permute(0, 3, 1, 2)  # (n, o, h * k, w * k), channels last in memory


class OverlapConvTranspose2d(nn.ConvTranspose2d):
    """A ConvTranspose2d whose kernel size is twice its stride, so that half of each patch overlaps.

    Weights and results are those of nn.ConvTranspose2d: a matrix product, then the sum of the upper
    and lower and of the left and right halves of neighbouring patches. With as few channels as
    here, the general convolution is slower on a CPU.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int, padding: int) -> None:
        super().__init__(in_channels, out_channels, 2 * stride, stride, padding)

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]  # the size is fixed by x
        """x (N, in, H, W) -> (N, out, H', W') with H' = (H + 1) * stride - 2 * padding."""
        assert self.bias is not None
        n, c, h, w = x.shape
        s, p, o = self.stride[0], int(self.padding[0]), self.out_channels
        weight = (
            self.weight.view(c, o, 2, s, 2, s).permute(2, 3, 4, 5, 1, 0).reshape(4 * s * s * o, c)
        )
        pixels = x.permute(0, 2, 3, 1).reshape(n * h * w, c)
        patches = weight @ pixels.t()  # (2 * s * 2 * s * o, n * h * w), images last: long rows
        upper, lower = patches.view(2, 2 * s * s * o, n, h, w).unbind()
        rows = F.pad(upper, (0, 0, 0, 1)) + F.pad(lower, (0, 0, 1, 0))  # (..., n, h + 1, w)
        left, right = rows.view(s, 2, s * o, n, h + 1, w).unbind(1)
        out = F.pad(left, (0, 1)) + F.pad(right, (1, 0))  # (s, s * o, n, h + 1, w + 1)
        out = out.view(s, s, o, n, h + 1, w + 1).permute(3, 2, 4, 0, 5, 1)
        out = out.reshape(n, o, (h + 1) * s, (w + 1) * s)
        return out[:, :, p : (h + 1) * s - p, p : (w + 1) * s - p] + self.bias[:, None, None]


class Encoder(nn.Module):
    """x (N, 1, 28, 28) in [0, 1] -> mu, logvar, each (N, latent_dim); logvar is clamped."""

    def __init__(self, config: VAEConfig) -> None:
        super().__init__()
        c = config
        self.conv = PatchConv2d(1, c.encoder_channels, PATCH)
        self.conv_2 = nn.Conv2d(
            c.encoder_channels, c.encoder_channels_2, kernel_size=3, stride=2, padding=1
        ).to(memory_format=torch.channels_last)  # as its input; halves the time of its gradient
        self.hidden = nn.Linear(c.encoder_channels_2 * 4 * 4, c.hidden)
        self.hidden_2 = nn.Linear(c.hidden, c.hidden)
        self.hidden_3 = nn.Linear(c.hidden, c.hidden)
        self.out = nn.Linear(c.hidden, 2 * c.latent_dim)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h = F.silu(self.conv(x))  # (N, 32, 7, 7)
        h = F.silu(self.conv_2(h))  # (N, 64, 4, 4)
        h = h.permute(0, 2, 3, 1).flatten(1)  # (N, 4 * 4 * 64)
        h = F.silu(self.hidden(h))  # (N, 256)
        h = F.silu(self.hidden_2(h))  # (N, 256)
        h = F.silu(self.hidden_3(h))  # (N, 256)
        # float32 even under autocast: exp(logvar) and the KL need more precision than bf16 has.
        mu, logvar = self.out(h).float().chunk(2, dim=1)  # (N, latent_dim) each
        return mu, logvar.clamp(*LOGVAR_RANGE)


class Decoder(nn.Module):
    """z (N, latent_dim) -> logits (N, 1, 28, 28)."""

    def __init__(self, config: VAEConfig) -> None:
        super().__init__()
        c = config
        self.channels = c.decoder_channels
        self.hidden = nn.Linear(c.latent_dim, c.hidden)
        # PyTorch's default initialization makes the layer nearly linear in z. Steeper units, their
        # bends spread over the prior, resolve more detail of the latent space from the first step.
        nn.init.normal_(self.hidden.weight, std=1.5)
        nn.init.uniform_(self.hidden.bias, -3.0, 3.0)
        self.hidden_2 = nn.Linear(c.hidden, c.hidden)
        self.hidden_3 = nn.Linear(c.hidden, c.hidden)
        self.grid = nn.Linear(c.hidden, GRID * GRID * c.decoder_channels)
        self.conv = PatchConvTranspose2d(c.decoder_channels, c.decoder_channels_2, 2)
        self.out = OverlapConvTranspose2d(c.decoder_channels_2, 1, stride=2, padding=1)

    def forward(self, z: Tensor) -> Tensor:
        h = F.silu(self.hidden(z))  # (N, 256)
        h = F.silu(self.hidden_2(h))  # (N, 256)
        h = F.silu(self.hidden_3(h))  # (N, 256)
        h = F.silu(self.grid(h))  # (N, 7 * 7 * 56)
        h = h.view(-1, GRID, GRID, self.channels).permute(0, 3, 1, 2)  # (N, 56, 7, 7)
        h = F.silu(self.conv(h))  # (N, 16, 14, 14)
        logits: Tensor = self.out(h)  # (N, 1, 28, 28)
        return logits


class VAE(nn.Module):
    """A convolutional variational autoencoder for 28 x 28 grey images."""

    def __init__(self, config: VAEConfig | None = None) -> None:
        super().__init__()
        self.config = config or VAEConfig()
        self.encoder = Encoder(self.config)
        self.decoder = Decoder(self.config)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x (N, 1, 28, 28) in [0, 1] -> mean and log-variance of q(z|x), each (N, latent_dim)."""
        mu, logvar = self.encoder(x)
        return mu, logvar

    def reparameterize(
        self,
        mu: Tensor,
        logvar: Tensor,
        generator: torch.Generator | None = None,
        eps: Tensor | None = None,
    ) -> Tensor:
        """z = mu + exp(logvar / 2) * eps with eps ~ N(0, I), differentiable in mu and logvar.

        Args:
            mu, logvar: (N, latent_dim).
            generator: on the device of mu, for eps.
            eps: (N, latent_dim), instead of a draw.

        Returns:
            (N, latent_dim).
        """
        if eps is None:
            eps = torch.randn(mu.shape, generator=generator, device=mu.device, dtype=mu.dtype)
        return mu + eps * torch.exp(0.5 * logvar)

    def decode(self, z: Tensor) -> Tensor:
        """z (N, latent_dim) -> x_hat (N, 1, 28, 28) in [0, 1], the mean of p(x|z)."""
        return torch.sigmoid(self.decoder(z))

    def forward(
        self, x: Tensor, generator: torch.Generator | None = None, eps: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """x (N, 1, 28, 28) -> logits (N, 1, 28, 28), mu and logvar (N, latent_dim)."""
        mu, logvar = self.encode(x)
        z = self.reparameterize(mu, logvar, generator, eps)
        logits = self.decoder(z)
        return logits, mu, logvar


class BernoulliNLL(torch.autograd.Function):
    """-sum log Bernoulli(x | sigmoid(logits)), a scalar; logits and x of one shape.

    As F.binary_cross_entropy_with_logits with reduction="sum", but log(1 + e) stands in place of
    log1p(e), which takes most of that function's time. They differ by less than 1e-7 a pixel, and
    the gradient, sigmoid(logits) - x, is exact.
    """

    @staticmethod
    def forward(ctx: Any, logits: Tensor, x: Tensor) -> Tensor:  # noqa: ANN401  # as torch has it
        ctx.save_for_backward(logits, x)
        # softplus(l) - x l = max(l, 0) + log(1 + exp(-|l|)) - x l
        terms = logits.abs().neg_().exp_().add_(1).log_().add_(logits.clamp_min(0))
        return terms.addcmul_(logits, x, value=-1).sum()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:  # noqa: ANN401
        logits, x = ctx.saved_tensors
        return torch.sigmoid(logits).sub_(x).mul_(gradients[0]), None


def vae_loss(logits: Tensor, x: Tensor, mu: Tensor, logvar: Tensor, beta: float) -> VAELoss:
    """The beta-VAE loss (Higgins et al. 2017) in nats per image.

    recon = -sum_pixels log Bernoulli(x | sigmoid(logits)), where a grey x is a probability
    kl    = 0.5 * sum_dims (mu^2 + exp(logvar) - logvar - 1)

    Args:
        logits, x: (N, 1, 28, 28); x in [0, 1]. mu, logvar: (N, latent_dim).
        beta: weight of the KL; with 1 the loss is the negative ELBO.
    """
    n = x.shape[0]
    recon = cast(Tensor, BernoulliNLL.apply(logits.float(), x)) / n
    kl = 0.5 * (mu.square() + logvar.exp() - logvar - 1).sum() / n
    return VAELoss(recon + beta * kl, recon, kl)
