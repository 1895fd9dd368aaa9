namespace ClipOod.Notebook;

/// <summary>A gradual shift in the space of features: from ID images to OOD images along straight lines, drawn back to unit length.</summary>
public static class FeaturePath
{
    /// <summary>normalise((1 − α) x_ID + α x_OOD) for each pair of rows.</summary>
    /// <param name="idFeatures">Unit-norm features of ID images, shape (N, D).</param>
    /// <param name="oodFeatures">Unit-norm features of the OOD images that row i of the others goes to, shape (N, D).</param>
    /// <param name="alpha">α, from 0 (the ID features) to 1 (the OOD features).</param>
    /// <returns>Shape (N, D), unit-norm; a row of zeros where a pair's features are opposite and α is a half.</returns>
    /// <exception cref="ArgumentException">The shapes differ, or the features are not unit-norm.</exception>
    /// <exception cref="ArgumentOutOfRangeException">α is outside [0, 1].</exception>
    public static Embeddings Between(Embeddings idFeatures, Embeddings oodFeatures, double alpha)
    {
        ArgumentNullException.ThrowIfNull(idFeatures);
        ArgumentNullException.ThrowIfNull(oodFeatures);
        if (alpha is not (>= 0 and <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(alpha), alpha, "Expected 0 (ID) to 1 (OOD).");
        }

        if (idFeatures.Rows != oodFeatures.Rows || idFeatures.Width != oodFeatures.Width)
        {
            throw new ArgumentException(
                $"Got {oodFeatures.Rows} x {oodFeatures.Width} OOD features for {idFeatures.Rows} x {idFeatures.Width} ID features, expected equal shapes: "
                + "select as many rows of each, of one model.",
                nameof(oodFeatures));
        }

        RequireUnitNorm(idFeatures, nameof(idFeatures));
        RequireUnitNorm(oodFeatures, nameof(oodFeatures));
        float[] values = new float[idFeatures.Values.Length];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = (float)(((1 - alpha) * idFeatures.Values[i]) + (alpha * oodFeatures.Values[i]));
        }

        return new Embeddings(idFeatures.Rows, idFeatures.Width, values).Normalized();
    }

    private static void RequireUnitNorm(Embeddings features, string parameter)
    {
        if (!features.IsUnitNorm())
        {
            throw new ArgumentException("The features are not unit-norm, so that the longer side would decide the way: pass Normalized() ones.", parameter);
        }
    }
}
