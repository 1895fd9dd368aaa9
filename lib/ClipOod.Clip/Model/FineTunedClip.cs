namespace ClipOod.Clip;

/// <summary>A model whose image tower was fine-tuned with a linear head on its features before the projection.</summary>
public sealed class FineTunedClip : IDisposable
{
    internal FineTunedClip(ClipModel model, float[] weight, float[] bias, IReadOnlyList<FineTuneEpoch> history) =>
        (Model, Weight, Bias, History) = (model, weight, bias, history);

    /// <summary>
    /// The fine-tuned model, one of its own: its text tower and projections are those of the model it comes from, and zero-shot
    /// classification with it shows how far the image tower has moved away from them.
    /// </summary>
    public ClipModel Model { get; }

    /// <summary>The head's W, row by row: <see cref="NumClasses"/> × width of the image tower.</summary>
    public ReadOnlyMemory<float> Weight { get; }

    /// <summary>The head's b, one number per class.</summary>
    public ReadOnlyMemory<float> Bias { get; }

    /// <summary>Number of classes, K.</summary>
    public int NumClasses => Bias.Length;

    /// <summary>Loss and accuracy of each epoch.</summary>
    public IReadOnlyList<FineTuneEpoch> History { get; }

    /// <summary>Encodes pictures to the features that the head takes, not normalised.</summary>
    /// <param name="images">The pictures, of any sizes.</param>
    /// <param name="options">Batch size, progress.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <returns>A row for each picture, as wide as the image tower.</returns>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public ClipEncoding EncodePooled(IReadOnlyList<RgbImage> images, ClipEncodingOptions? options = null, CancellationToken cancellation = default) =>
        Model.EncodePooled(images, options, cancellation);

    /// <summary>Encodes pictures to the head's logits.</summary>
    /// <param name="images">The pictures, of any sizes.</param>
    /// <param name="options">Batch size, progress.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <returns>A row for each picture, K wide.</returns>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public ClipEncoding EncodeLogits(IReadOnlyList<RgbImage> images, ClipEncodingOptions? options = null, CancellationToken cancellation = default) =>
        Logits(EncodePooled(images, options, cancellation));

    /// <summary>The head's logits of features, such as those of image files.</summary>
    /// <param name="pooled">Of <see cref="EncodePooled"/>, or of the same method of <see cref="Model"/>.</param>
    /// <returns>A row for each row, K wide.</returns>
    /// <exception cref="ArgumentException">The features are of another width or normalised.</exception>
    public ClipEncoding Logits(ClipEncoding pooled)
    {
        ArgumentNullException.ThrowIfNull(pooled);
        if (pooled.Width != Weight.Length / NumClasses || pooled.IsNormalized)
        {
            throw new ArgumentException(
                $"Got {(pooled.IsNormalized ? "normalised " : "")}features of width {pooled.Width}, expected {Weight.Length / NumClasses} as {nameof(EncodePooled)} gives them.", nameof(pooled));
        }

        float[] logits = new float[pooled.Count * NumClasses];
        for (int i = 0; i < logits.Length; i++)
        {
            int k = i % NumClasses;
            ReadOnlySpan<float> feature = pooled.Row(i / NumClasses), weight = Weight.Span.Slice(k * pooled.Width, pooled.Width);
            double sum = Bias.Span[k];
            for (int j = 0; j < feature.Length; j++)
            {
                sum += (double)feature[j] * weight[j];
            }

            logits[i] = (float)sum;
        }

        return pooled with { Values = logits, Width = NumClasses };
    }

    /// <summary>Closes the fine-tuned model.</summary>
    public void Dispose() => Model.Dispose();
}
