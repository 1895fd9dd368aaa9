namespace ClipOod.Notebook;

/// <summary>
/// Which images of a stream are sure enough to learn from: those whose score in [0, 1] is well above or well below a threshold γ. A gap
/// of 0 takes all, a gap of 1 none.
/// </summary>
/// <remarks>Zhang &amp; Zhang 2024 (arXiv:2410.20149), which AdaNeg and TANL share; reference code: YBZh/OpenOOD-VLM.</remarks>
internal readonly record struct ConfidentBands
{
    private readonly double _lowest;
    private readonly double _highest;

    public ConfidentBands(double threshold, double gap)
    {
        CheckShare(threshold, nameof(threshold));
        CheckShare(gap, nameof(gap));
        _highest = threshold - (gap * threshold);
        _lowest = threshold + (gap * (1 - threshold));
    }

    /// <summary>Above γ + g·(1−γ).</summary>
    public bool IsId(double score) => score > _lowest;

    /// <summary>Below γ − g·γ.</summary>
    public bool IsOod(double score) => score < _highest;

    private static void CheckShare(double value, string name)
    {
        if (value is not (>= 0 and <= 1))
        {
            throw new ArgumentOutOfRangeException(name, value, "Expected a number from 0 to 1: scores are shares of the classes.");
        }
    }
}
