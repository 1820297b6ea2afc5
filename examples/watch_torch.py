"""Watch a loop of plain torch: VICReg on scikit-learn's digits, half a minute on two cores.

python examples/watch_torch.py      meanwhile, in another terminal: tui-latent attach latest
"""

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor, nn
from torch.nn import functional as F

import tui_latent

digits = load_digits()
images = torch.tensor(digits.images, dtype=torch.float32)[:, None] / 16
train, val, y_train, y_val = train_test_split(images, digits.target, random_state=0)


def view(x: Tensor) -> Tensor:
    """Rotate each image by up to 20 degrees, shift it by up to a pixel, and add noise."""
    angle, shift = (torch.rand(len(x)) - 0.5) * 0.7, (torch.rand(len(x), 2, 1) - 0.5) / 2
    turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], 1).view(-1, 2, 2)
    grid = F.affine_grid(torch.cat([turn, shift], 2), list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, align_corners=False) + 0.05 * torch.randn_like(x)


def vicreg(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the terms of VICReg (arXiv:2105.04906), each as it enters the sum."""
    variance = F.relu(1 - a.std(0)).mean() + F.relu(1 - b.std(0)).mean()
    apart = [(torch.cov(z.T).fill_diagonal_(0) ** 2).sum() / z.shape[1] for z in (a, b)]
    return 25 * F.mse_loss(a, b), 25 * variance, apart[0] + apart[1]


torch.manual_seed(0)
encoder = nn.Sequential(nn.Flatten(), nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 16))
projector = nn.Sequential(nn.Linear(16, 256), nn.BatchNorm1d(256), nn.ReLU(), nn.Linear(256, 64))
optimizer = torch.optim.AdamW([*encoder.parameters(), *projector.parameters()], lr=2e-3)

names, pictures = [str(name) for name in digits.target_names], (val * 255).byte()
with tui_latent.watch(
    "digits-torch", classes=names, thumbnails=pictures, obeys=["pause", "stop"], if_taken="number"
) as run:
    for step in range(1, 601):
        x = train[torch.randint(len(train), (256,))]
        projected = projector(encoder(torch.cat([view(x), view(x)])))
        invariance, variance, covariance = vicreg(*projected.chunk(2))
        loss = invariance + variance + covariance
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        run.log(step, loss=loss, invariance=invariance, variance=variance, covariance=covariance)
        if step % 100 == 0:
            with torch.no_grad():
                z_train, z_val = encoder(train), encoder(val)
            run.latents(step, queries=z_val, labels=y_val, bank=z_train, bank_labels=y_train)
        run.wait_while_paused()
        if run.asked.stop:
            break
