"""Writes ParOSol's input and reads its output, in the environment that has h5py: `write GIVEN H5`, `read H5 FOUND`."""

import sys

import h5py
import numpy as np


def write(given: str, model: str) -> None:
    """Moduli [i, j, k] in MPa pulled along i: nodes by (k, j, i, component)."""
    with np.load(given) as asked:
        modulus_MPa, pull_mm = asked["modulus_MPa"], float(asked["pull_mm"])
    last, ny, nz = modulus_MPa.shape
    nodes = np.stack(np.meshgrid([0, last], range(ny + 1), range(nz + 1), range(3), indexing="ij"), -1).reshape(-1, 4)
    moved = np.where((nodes[:, 0] == last) & (nodes[:, 3] == 0), pull_mm, 0.0)
    with h5py.File(model, "w") as file:
        image = file.create_group("Image_Data")
        image["Fixed_Displacement_Coordinates"] = nodes[:, [2, 1, 0, 3]].astype(np.uint16)
        image["Fixed_Displacement_Values"] = moved.astype(np.float32)
        image["Loaded_Nodes_Coordinates"] = np.zeros((0, 4), np.uint16)
        image["Loaded_Nodes_Values"] = np.zeros(0, np.float32)
        image["Poisons_ratio"] = 0.3
        image["Voxelsize"] = 1.0
        image["Image"] = modulus_MPa.transpose(2, 1, 0).astype(np.float32)


def read(model: str, found: str) -> None:
    """Displacements [i, j, k, component]."""
    with h5py.File(model) as file:
        nodes, moved = np.rint(file["Mesh/Coordinates"][:]).astype(int), file["Solution/disp"][:]
    u_mm = np.zeros((*(nodes.max(axis=0) + 1), 3), np.float32)
    u_mm[tuple(nodes.T)] = moved
    np.save(found, u_mm)


if __name__ == "__main__":
    {"write": write, "read": read}[sys.argv[1]](*sys.argv[2:])
