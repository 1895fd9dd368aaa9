using System.Numerics.Tensors;

namespace ClipOod.Notebook;

/// <summary>How the text features of several prompts become one feature per class.</summary>
public enum PromptAveraging
{
    /// <summary>Normalise each prompt's feature, take the mean, normalise again: CLIP's own ensembling.</summary>
    NormalizeThenMean,

    /// <summary>Take the mean of the raw features and normalise once, so that longer features weigh more: the code of CSP and NegRefine.</summary>
    MeanOfRaw,
}

/// <summary>Averages the text features of several prompt templates.</summary>
/// <remarks>Radford et al. 2021 (arXiv:2103.00020), section 3.1.4; reference code: openai/CLIP, notebooks/Prompt_Engineering_for_ImageNet.ipynb.</remarks>
public static class PromptEnsemble
{
    /// <summary>One unit-norm feature per class; the order of the templates does not matter.</summary>
    /// <param name="classes">For each of the K classes its (T, D) text features, one row per template; T may differ between classes.</param>
    /// <param name="averaging">CLIP's own ensembling unless said otherwise.</param>
    /// <returns>Shape (K, D), unit-norm.</returns>
    /// <exception cref="ArgumentException">There is no class, a class has no template, or widths differ.</exception>
    public static Embeddings Average(
        IReadOnlyList<Embeddings> classes, PromptAveraging averaging = PromptAveraging.NormalizeThenMean)
    {
        ArgumentNullException.ThrowIfNull(classes);
        if (classes.Count == 0)
        {
            throw new ArgumentException("Got no class, expected the text features of at least one.", nameof(classes));
        }

        int width = classes[0].Width;
        float[] result = new float[classes.Count * width];
        double[] sum = new double[width];
        double[] feature = new double[width];
        for (int k = 0; k < classes.Count; k++)
        {
            if (classes[k].Rows == 0 || classes[k].Width != width)
            {
                throw new ArgumentException(
                    $"Class {k} has {classes[k].Rows} templates of width {classes[k].Width}, expected at least one, of width {width} as class 0.",
                    nameof(classes));
            }

            Array.Clear(sum);
            for (int t = 0; t < classes[k].Rows; t++)
            {
                TensorPrimitives.ConvertTruncating<float, double>(classes[k][t], feature);
                if (averaging == PromptAveraging.NormalizeThenMean)
                {
                    Normalize(feature);
                }

                TensorPrimitives.Add(sum, feature, sum);
            }

            // The sum and the mean have the same direction.
            Normalize(sum);
            TensorPrimitives.ConvertTruncating<double, float>(sum, result.AsSpan(k * width, width));
        }

        return new Embeddings(classes.Count, width, result);
    }

    /// <summary>Divides by the norm, or by 1e-12 where the norm is smaller (torch's rule).</summary>
    private static void Normalize(Span<double> vector) =>
        TensorPrimitives.Divide(vector, Math.Max(TensorPrimitives.Norm<double>(vector), 1e-12), vector);
}
