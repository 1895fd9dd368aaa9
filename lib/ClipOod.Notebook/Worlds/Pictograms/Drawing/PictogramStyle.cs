namespace ClipOod.Notebook;

/// <summary>How the parts are painted.</summary>
internal enum FillMode
{
    /// <summary>Areas of colour.</summary>
    Filled,

    /// <summary>Areas of colour with a contour.</summary>
    Contoured,

    /// <summary>Contours only.</summary>
    Lines,
}

/// <summary>What is behind the drawing.</summary>
internal enum Backdrop
{
    /// <summary>One colour.</summary>
    Plain,

    /// <summary>One colour that fades into another.</summary>
    Gradient,

    /// <summary>One colour with scattered shapes on it.</summary>
    Clutter,
}

/// <summary>
/// Everything that is chosen at random when a concept is drawn. Captions speak of it; shifts change it. All lengths are in units of the
/// picture's side, all angles in degrees.
/// </summary>
internal sealed record PictogramStyle
{
    /// <summary>Which of the concept's drawings, from 0.</summary>
    public required int Drawing { get; init; }

    /// <summary>Name of the main colour.</summary>
    public required string Color { get; init; }

    /// <summary>Name of the second colour.</summary>
    public required string SecondColor { get; init; }

    /// <summary>Name of the colour behind the drawing.</summary>
    public required string Background { get; init; }

    /// <summary>What is behind the drawing.</summary>
    public Backdrop Backdrop { get; init; }

    /// <summary>How the parts are painted.</summary>
    public FillMode Fill { get; init; }

    /// <summary>Factor of the widths of outlines and contours; 1 is the width that the drawing states.</summary>
    public double Thickness { get; init; } = 1;

    /// <summary>Clockwise.</summary>
    public double Rotation { get; init; }

    /// <summary>Side of the drawing's box; for a texture, scale of its tiles.</summary>
    public double Size { get; init; } = 0.85;

    /// <summary>Horizontal stretch; the vertical one is its inverse.</summary>
    public double Stretch { get; init; } = 1;

    /// <summary>Horizontal shear.</summary>
    public double Shear { get; init; }

    /// <summary>Perspective: how much smaller the far side is, horizontally and vertically.</summary>
    public (double X, double Y) Perspective { get; init; }

    /// <summary>Where the middle of the drawing lies, from the picture's middle.</summary>
    public (double X, double Y) Offset { get; init; }

    /// <summary>Whether left and right are exchanged.</summary>
    public bool Mirrored { get; init; }

    /// <summary>Share of the picture's side that an object in front covers; 0 for none.</summary>
    public double Occlusion { get; init; }

    /// <summary>Standard deviation of the noise on each channel, in levels of 255.</summary>
    public double Noise { get; init; }

    /// <summary>Standard deviation of the blur, in pixels of a picture of 64.</summary>
    public double Blur { get; init; }

    /// <summary>Factor of the contrast; 1 leaves it as it is.</summary>
    public double Contrast { get; init; } = 1;

    /// <summary>Draws a style at random.</summary>
    /// <param name="concept">What will be drawn; its natural colours are preferred.</param>
    /// <param name="random">The source of chance.</param>
    /// <param name="difficulty">1 for the pictures of the world; towards 0 nothing disturbs and little is turned or stretched.</param>
    public static PictogramStyle Random(Concept concept, Random random, double difficulty = 1)
    {
        ArgumentNullException.ThrowIfNull(concept);
        ArgumentNullException.ThrowIfNull(random);
        difficulty = difficulty is > 0 and <= 1 ? difficulty : throw new ArgumentOutOfRangeException(nameof(difficulty), difficulty, "The difficulty is above 0 and at most 1.");
        string color = concept.Colors.Count > 0 && random.Chance(1 - (0.2 * difficulty)) ? random.Choose(concept.Colors) : random.Choose(Palette.Names);
        string background = random.Chance(0.45 * difficulty) || color == "white" ? OtherColor(random, color) : "white";
        PictogramStyle style = new()
        {
            Drawing = random.Next(concept.Drawings.Count),
            Color = color,
            SecondColor = OtherColor(random, color),
            Background = background,
            Backdrop = (random.NextDouble() / difficulty) switch { < 0.15 => Backdrop.Clutter, < 0.3 => Backdrop.Gradient, _ => Backdrop.Plain },
            Thickness = random.Between(0.6, 1.6),
            Contrast = random.Chance(0.15 * difficulty) ? random.Between(0.45, 1) : 1,
            Noise = random.Chance(0.25 * difficulty) ? random.Between(4, 24) : 0,
            Blur = random.Chance(0.1 * difficulty) ? random.Between(0.4, 1.3) : 0,
            Occlusion = random.Chance(0.15 * difficulty) ? random.Between(0.15, 0.4) : 0,
        };
        return concept.IsTexture
            ? style with { Size = random.Between(0.6, 1.7), Rotation = random.Chance(0.5) ? random.Between(-15, 15) : random.Between(-180, 180) }
            : style with
            {
                Fill = random.NextDouble() switch { < 0.55 => FillMode.Filled, < 0.85 => FillMode.Contoured, _ => FillMode.Lines },
                Size = random.Between(0.9 - (0.22 * difficulty), 0.95),
                Rotation = difficulty * (random.Chance(0.8) ? random.Between(-10, 10) : random.Between(-35, 35)),
                Stretch = Math.Exp(difficulty * random.Between(-0.1, 0.1)),
                Shear = difficulty * random.Between(-0.1, 0.1),
                Perspective = (difficulty * random.Between(-0.15, 0.15), difficulty * random.Between(-0.15, 0.15)),
                Offset = (difficulty * random.Between(-0.06, 0.06), difficulty * random.Between(-0.06, 0.06)),
                Mirrored = random.Chance(0.5),
            };
    }

    private static string OtherColor(Random random, string color)
    {
        string other = random.Choose(Palette.Names);
        return other == color ? OtherColor(random, color) : other;
    }
}
