"""Watch lightly's SimCLR on scikit-learn's digits, a minute on two cores.

python examples/watch_lightly.py       meanwhile, in another terminal: tui-latent attach latest
"""

import torch
from lightly.loss import NTXentLoss
from lightly.models.modules import SimCLRProjectionHead
from lightly.transforms.multi_view_transform import MultiViewTransform
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torchvision.transforms import v2

import tui_latent

digits = load_digits()
images = torch.tensor(digits.images, dtype=torch.float32)[:, None] / 16
train, val, y_train, y_val = train_test_split(images, digits.target, random_state=0)

torch.manual_seed(0)
view = v2.Compose([v2.RandomAffine(20, (0.1, 0.1), (0.9, 1.1)), v2.GaussianNoise(sigma=0.05)])
views = MultiViewTransform([view, view])


def pairs(batch: list[Tensor]) -> Tensor:
    """Return two views of each image, one after the other."""
    return torch.stack([each for image in batch for each in views(image)])


loader = DataLoader(train, batch_size=256, shuffle=True, drop_last=True, collate_fn=pairs)
backbone = nn.Sequential(nn.Flatten(), nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 64))
head = SimCLRProjectionHead(input_dim=64, hidden_dim=64, output_dim=32)
criterion = NTXentLoss(temperature=0.2)
optimizer = torch.optim.Adam([*backbone.parameters(), *head.parameters()], lr=2e-3)

names, pictures = [str(name) for name in digits.target_names], (val * 255).byte()
with tui_latent.watch(
    "digits-lightly", classes=names, thumbnails=pictures, obeys=["pause", "stop"], if_taken="number"
) as run:
    for epoch in range(15):
        for step, batch in enumerate(loader, 1 + epoch * len(loader)):
            projected = head(backbone(batch))
            loss = criterion(projected[0::2], projected[1::2])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            run.log(step, epoch=step / len(loader), loss=loss)
            run.wait_while_paused()
        with torch.no_grad():
            z_train, z_val = backbone(train), backbone(val)
        run.latents(step, queries=z_val, labels=y_val, bank=z_train, bank_labels=y_train)
        if run.asked.stop:
            break
