namespace ClipOod.Notebook;

/// <summary>The settings of <see cref="Odin"/>.</summary>
public sealed record OdinOptions
{
    /// <summary>T, divides the logits, above 0. Defaults to 1000 as in the paper.</summary>
    public double Temperature { get; init; } = 1000;

    /// <summary>
    /// ε, the size of the step, at least 0: on the scale [0, 1] of pixels, or in the unit of features for the substitute. Defaults to 0.0014, as in the
    /// papers on ImageNet.
    /// </summary>
    public double Epsilon { get; init; } = 0.0014;

    /// <summary>What multiplies the cosines to give logits, above 0. Defaults to 100.</summary>
    public double LogitScale { get; init; } = Scores.ClipLogitScale;

    /// <summary>Images in one run of the model, at least 1. Defaults to 16.</summary>
    public int BatchSize { get; init; } = 16;

    /// <summary>Throws an <see cref="ArgumentOutOfRangeException"/> that names the first option out of its range.</summary>
    internal void Validate()
    {
        Scores.CheckTemperature(Temperature);
        Scores.CheckScale(LogitScale);
        ArgumentOutOfRangeException.ThrowIfLessThan(BatchSize, 1, nameof(BatchSize));
        if (!(Epsilon >= 0) || double.IsInfinity(Epsilon))
        {
            throw new ArgumentOutOfRangeException(nameof(Epsilon), Epsilon, "Expected a finite number of at least 0: the step goes down the gradient of the loss.");
        }
    }
}
