namespace ClipOod.Clip;

/// <summary>Values of CLIPN's losses: of one step before its update, or the mean over steps. See <see cref="ClipnLoss"/> for the terms.</summary>
/// <param name="Matching">Mean of −log(1 − pⁿᵒᵢᵢ), in nats, at least 0.</param>
/// <param name="Unrelated">Mean of −log pⁿᵒᵢⱼ, j ≠ i, in nats, at least 0.</param>
/// <param name="Tso">Text semantic opposite, the mean of 2 − ‖gᵢ − hᵢ‖, in [0, 2]; 1.99 at the start.</param>
public readonly record struct ClipnLossValues(double Matching, double Unrelated, double Tso)
{
    /// <summary>Image-text binary opposite: <see cref="Matching"/> and <see cref="Unrelated"/> together; 2 ln 2 = 1.3863 at the start, where "no" is "yes".</summary>
    public double Itbo => Matching + Unrelated;

    /// <summary>What is minimised: half of the sum of all, the scale of the released code.</summary>
    public double Total => 0.5 * (Itbo + Tso);

    /// <summary>For example "ITBO 1.3863, TSO 1.9900".</summary>
    public override string ToString() => FormattableString.Invariant($"ITBO {Itbo:0.0000}, TSO {Tso:0.0000}");
}
