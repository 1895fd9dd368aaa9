namespace ClipOod.Clip;

/// <summary>What an image tower can give of an image in one run.</summary>
[Flags]
public enum ClipImageOutputs
{
    /// <summary>The feature in the space that images and texts share.</summary>
    Embedding = 1,

    /// <summary>The feature before the projection into that space, as wide as the tower.</summary>
    Pooled = 2,

    /// <summary>A feature of each patch in the shared space, row by row of the picture (<see cref="ClipImageTower.Locals"/>).</summary>
    Patches = 4,
}
