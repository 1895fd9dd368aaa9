using System.Globalization;

namespace ClipOod.Notebook;

/// <summary>A way in which pictures can move away from those that a model was trained on.</summary>
public enum ShiftKind
{
    /// <summary>Gaussian blur.</summary>
    Blur,

    /// <summary>Loss of contrast.</summary>
    Contrast,

    /// <summary>Gaussian noise.</summary>
    Noise,

    /// <summary>An object in front that covers a growing part.</summary>
    Occlusion,

    /// <summary>Rotation of the drawing, to either side.</summary>
    Rotation,

    /// <summary>Thin lines instead of areas, strong perspective, stretch and shear.</summary>
    Style,
}

/// <summary>A gradual covariate shift: what is drawn stays the same, how it is drawn moves away.</summary>
/// <param name="Kind">What changes.</param>
/// <param name="Severity">0 (nothing) to 5.</param>
public sealed record Shift(ShiftKind Kind, int Severity)
{
    /// <summary>The largest severity.</summary>
    internal const int MaxSeverity = 5;

    /// <summary>0 (nothing) to 5.</summary>
    public int Severity { get; } = Severity is >= 0 and <= MaxSeverity
        ? Severity
        : throw new ArgumentOutOfRangeException(nameof(Severity), Severity, $"The severity of a shift is 0 to {MaxSeverity}.");

    /// <summary>The style as the shift leaves it; at severity 0 it is the style itself.</summary>
    /// <param name="style">The style before.</param>
    /// <param name="random">Chooses directions.</param>
    internal PictogramStyle Apply(PictogramStyle style, Random random)
    {
        ArgumentNullException.ThrowIfNull(style);
        ArgumentNullException.ThrowIfNull(random);
        if (Severity == 0)
        {
            return style;
        }

        double direction = random.Chance(0.5) ? 1 : -1;
        double share = Severity / (double)MaxSeverity;
        return Kind switch
        {
            ShiftKind.Blur => style with { Blur = style.Blur + (4 * share) },
            ShiftKind.Contrast => style with { Contrast = style.Contrast * (1 - (0.9 * share)) },
            ShiftKind.Noise => style with { Noise = style.Noise + (90 * share) },
            ShiftKind.Occlusion => style with { Occlusion = Math.Max(style.Occlusion, 0.8 * share) },
            ShiftKind.Rotation => style with { Rotation = style.Rotation + (direction * 180 * share) },
            ShiftKind.Style => style with
            {
                Fill = Severity >= 2 ? FillMode.Lines : style.Fill,
                Thickness = style.Thickness * (1 - (0.6 * share)),
                Stretch = style.Stretch * Math.Exp(direction * 0.5 * share),
                Shear = style.Shear + (direction * 0.6 * share),
                Perspective = (style.Perspective.X + (direction * 0.5 * share), style.Perspective.Y),
            },
            _ => throw new InvalidOperationException($"There is no shift {Kind}."),
        };
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Kind} {Severity}");
}
