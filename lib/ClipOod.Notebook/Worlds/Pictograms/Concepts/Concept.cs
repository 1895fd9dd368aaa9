using SkiaSharp;

namespace ClipOod.Notebook;

/// <summary>What a part of a drawing is, and so how it is painted.</summary>
internal enum PartRole
{
    /// <summary>The silhouette, filled with the picture's main colour.</summary>
    Body,

    /// <summary>Filled with a second colour.</summary>
    Accent,

    /// <summary>Filled with a pale colour: windows, cream, highlights.</summary>
    Light,

    /// <summary>Filled with a dark colour: eyes, wheels, holes.</summary>
    Detail,

    /// <summary>Stroked and never filled: whiskers, stems, strings.</summary>
    Outline,
}

/// <summary>A part of a drawing.</summary>
/// <param name="Role">How it is painted.</param>
/// <param name="Path">SVG path data in the drawing's coordinates.</param>
/// <param name="Width">Width of an outline, in the drawing's units.</param>
internal sealed record Part(PartRole Role, string Path, double Width)
{
    /// <summary>The parsed path, never changed.</summary>
    internal SKPath Geometry { get; } = SKPath.ParseSvgPathData(Path)
        ?? throw new ArgumentException($"This is no SVG path data: \"{Path}\".", nameof(Path));
}

/// <summary>One way to draw a concept.</summary>
/// <param name="Parts">Painted in this order.</param>
/// <param name="Tile">
/// Null for a thing, drawn in a box of 100 x 100 units; for a texture the size of the tile that fills the picture when it is repeated.
/// </param>
internal sealed record Drawing(IReadOnlyList<Part> Parts, (double Width, double Height)? Tile);

/// <summary>Something that can be drawn and named: one entry of a concept file.</summary>
public sealed class Concept
{
    internal Concept(
        string name, string set, IReadOnlyList<Drawing> drawings, IReadOnlyList<string> synonyms, IReadOnlyList<string> colors, string article, bool heldOut) =>
        (Name, Set, Drawings, Synonyms, Colors, Article, HeldOut) = (name, set, drawings, synonyms, colors, article, heldOut);

    /// <summary>Its name, such as "hot dog".</summary>
    public string Name { get; }

    /// <summary>The set it belongs to: "A", "B", "C", "near" or "textures".</summary>
    public string Set { get; }

    /// <summary>Other words for it.</summary>
    public IReadOnlyList<string> Synonyms { get; }

    /// <summary>The ways to draw it, at least one.</summary>
    internal IReadOnlyList<Drawing> Drawings { get; }

    /// <summary>Its natural colours, names of <see cref="Palette"/>; empty where any colour is natural.</summary>
    internal IReadOnlyList<string> Colors { get; }

    /// <summary>What a caption says before the name: "a", "an" or nothing.</summary>
    internal string Article { get; }

    /// <summary>Whether the tiny CLIP was never trained on it, neither on pictures nor on the word.</summary>
    internal bool HeldOut { get; }

    /// <summary>Whether it is a pattern that fills the picture.</summary>
    internal bool IsTexture => Drawings[0].Tile is not null;

    /// <inheritdoc/>
    public override string ToString() => $"{Name} ({Set}, {Drawings.Count} drawings{(HeldOut ? ", held out of training" : "")})";
}
