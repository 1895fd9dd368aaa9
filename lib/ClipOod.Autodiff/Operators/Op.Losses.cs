namespace ClipOod.Autodiff;

/// <content>Losses.</content>
public static partial class Op
{
    /// <summary>The mean cross-entropy of logits, in nats.</summary>
    /// <param name="logits">Shape (..., K).</param>
    /// <param name="targets">
    /// Class numbers, 0 to K − 1, of shape (...) and type Int32 or Int64; or probabilities of shape (..., K) and the
    /// logits' type, through which gradients flow too.
    /// </param>
    /// <returns>A scalar.</returns>
    /// <exception cref="ArgumentException">The shapes or types do not fit.</exception>
    public static Tensor CrossEntropy(Tensor logits, Tensor targets)
    {
        RequireReal("CrossEntropy", logits);
        ArgumentNullException.ThrowIfNull(targets);
        if (logits.Rank < 1)
        {
            throw Error("CrossEntropy", "the logits are a scalar, expected (..., K).");
        }

        Tensor logProbabilities = logits.LogSoftmax();
        if (targets.Type == logits.Type && targets.Shape.Equals(logits.Shape))
        {
            return -(targets * logProbabilities).Sum([-1]).Mean();
        }

        Shape rows = logits.Shape.Without(logits.Rank - 1);
        if (!targets.Type.IsIndex() || !targets.Shape.Equals(rows))
        {
            throw Error(
                "CrossEntropy",
                $"logits {logits.Type} {logits.Shape} and targets {targets.Type} {targets.Shape} do not fit: expected Int32 or Int64 {rows}, or {logits.Type} {logits.Shape}.");
        }

        Graph graph = logits.Graph;
        Tensor labels = targets.Unsqueeze(rows.Rank);
        Tensor mean = logProbabilities.GatherElements(labels, axis: -1).Mean();
        Tensor y = graph.EmitNew("Neg", [mean], mean.Type, mean.Shape);
        return y.Differentiate((logits, backward));

        Tensor backward(Tensor g)
        {
            // softmax - onehot, without scattering into zeros.
            Tensor classes = graph.Vector([.. Enumerable.Range(0, (int)logits.Shape[-1].Size).Select(k => (long)k)]).Cast(labels.Type);
            Tensor target = Equal(labels, classes).Cast(logits.Type);
            return (logProbabilities.Exp() - target) * (g / Count(graph, logits.Type, rows.Elements));
        }
    }
}
