using ClipOod.Autodiff;

namespace ClipOod.Clip;

/// <summary>The terms of CLIPN's loss (Wang et al. 2023, arXiv 2308.12213): scalars of a graph.</summary>
/// <param name="Matching">Mean of −log(1 − pⁿᵒᵢᵢ): an image's own caption must not match with "no".</param>
/// <param name="Unrelated">Mean of −log pⁿᵒᵢⱼ, j ≠ i: other captions must match with "no"; 0 for a single pair.</param>
/// <param name="TextSemantics">Mean of 2 − ‖gᵢ − hᵢ‖: a caption and its "no" must lie apart.</param>
/// <param name="Total">Half of the sum of the three, the scale of the released code.</param>
public sealed record ClipnLoss(Tensor Matching, Tensor Unrelated, Tensor TextSemantics, Tensor Total);

/// <summary>The losses of CLIP and CLIPN as functions of a graph's tensors.</summary>
public static class ClipLosses
{
    // Keeps the gradient finite where a caption and its "no" have one feature, as they have at the start.
    private const double UnderRoot = 1e-4;

    /// <summary>The scaled cosines of images and texts.</summary>
    /// <param name="imageFeatures">Shape (images, width); normalised here.</param>
    /// <param name="textFeatures">Shape (texts, width); normalised here.</param>
    /// <param name="logitScale">The logarithm of the scale, a scalar.</param>
    /// <returns>Shape (images, texts).</returns>
    public static Tensor Logits(Tensor imageFeatures, Tensor textFeatures, Tensor logitScale) =>
        imageFeatures.L2Normalize().MatMul(textFeatures.L2Normalize().SwapLastAxes()) * logitScale.Exp();

    /// <summary>
    /// CLIP's symmetric contrastive loss: the mean of the cross-entropies of images over texts and of texts over images, in nats
    /// (Radford et al. 2021, figure 3).
    /// </summary>
    /// <param name="logits">Scaled cosines, shape (batch, batch); image i belongs to text i.</param>
    /// <param name="classes">
    /// Int64, shape (batch): pairs of one class are positives of each other and share the target evenly. Where null, every pair is a
    /// class of its own.
    /// </param>
    /// <returns>A scalar.</returns>
    /// <exception cref="ArgumentException">The logits are not square.</exception>
    public static Tensor Contrastive(Tensor logits, Tensor? classes = null)
    {
        ArgumentNullException.ThrowIfNull(logits);
        if (logits.Rank != 2 || logits.Shape[0] != logits.Shape[1])
        {
            throw new ArgumentException($"The logits have shape {logits.Shape}, expected (batch, batch): as many images as texts.", nameof(logits));
        }

        Tensor same = classes is null ? Diagonal(logits) : Op.Equal(classes.Unsqueeze(1), classes.Unsqueeze(0)).Cast(logits.Type);
        Tensor targets = same / same.Sum([-1], keepDims: true);
        return (Op.CrossEntropy(logits, targets) + Op.CrossEntropy(logits.SwapLastAxes(), targets)) * 0.5;
    }

    /// <summary>CLIPN's losses (Wang et al. 2023, in the scale and with the averages of the released code).</summary>
    /// <param name="imageFeatures">Shape (batch, width); normalised here, as the others are.</param>
    /// <param name="textFeatures">Of the captions, by the frozen text tower; shape (batch, width).</param>
    /// <param name="noTextFeatures">Of the same captions, by the "no" tower; shape (batch, width).</param>
    /// <param name="logitScale">The logarithm of the scale, a scalar.</param>
    /// <param name="duplicateCosine">
    /// Captions i and j whose features have a cosine above this are left out of <see cref="ClipnLoss.Unrelated"/>, as their "no" does not
    /// hold for each other's images. Null, as in the released code: all pairs count.
    /// </param>
    public static ClipnLoss Clipn(Tensor imageFeatures, Tensor textFeatures, Tensor noTextFeatures, Tensor logitScale, double? duplicateCosine = null)
    {
        ArgumentNullException.ThrowIfNull(imageFeatures);
        Graph graph = imageFeatures.Graph;
        Tensor images = imageFeatures.L2Normalize();
        Tensor texts = textFeatures.L2Normalize();
        Tensor noTexts = noTextFeatures.L2Normalize();

        // log p and log(1 - p) of p = σ(difference), without underflow.
        Tensor difference = images.MatMul((noTexts - texts).SwapLastAxes()) * logitScale.Exp();
        Tensor diagonal = Diagonal(difference);
        Tensor matching = (difference.Softplus() * diagonal).Sum() / images.Size(0);
        Tensor counted = 1 - diagonal;
        if (duplicateCosine is double limit)
        {
            counted = counted * (1 - Op.Greater(texts.MatMul(texts.SwapLastAxes()), graph.Constant(limit)).Cast(graph.Type));
        }

        Tensor unrelated = ((-difference).Softplus() * counted).Sum() / Op.Maximum(counted.Sum(), graph.Constant(1));
        Tensor apart = ((2 + UnderRoot) - ((texts * noTexts).Sum([-1]) * 2)).Sqrt();
        Tensor semantics = (2 - apart).Mean();
        return new ClipnLoss(matching, unrelated, semantics, (matching + unrelated + semantics) * 0.5);
    }

    /// <summary>Ones on the diagonal of a square matrix, zeros elsewhere: where the numbers of row and column agree.</summary>
    private static Tensor Diagonal(Tensor matrix)
    {
        Tensor number = matrix.Indices(0);
        return Op.Equal(number.Unsqueeze(1), number.Unsqueeze(0)).Cast(matrix.Type);
    }
}
