using ClipOod.Autodiff;

namespace ClipOod.Clip;

/// <summary>In what numbers a model encodes images.</summary>
public enum ClipPrecision
{
    /// <summary>Single precision, 32 bits.</summary>
    Single,

    /// <summary>
    /// The products of the linear layers in 8 bits, the rest in single precision: weights with a scale for each output, inputs with one for each
    /// token, chosen as they come. Faster where the processor has VNNI, on the CPU only; features differ a little.
    /// </summary>
    Int8,
}

/// <summary>Names of precisions.</summary>
public static class ClipPrecisions
{
    /// <summary>The name by which features say how they were made: "FP32", "INT8", or "INT8 with 7-bit weights" on processors whose sums are too narrow.</summary>
    /// <param name="precision">The precision.</param>
    public static string Name(this ClipPrecision precision) => precision switch
    {
        ClipPrecision.Single => "FP32",
        ClipPrecision.Int8 => QuantizedWeights.HasWideSums ? "INT8" : "INT8 with 7-bit weights",
        _ => throw new ArgumentOutOfRangeException(nameof(precision), precision, "Expected Single or Int8."),
    };
}
