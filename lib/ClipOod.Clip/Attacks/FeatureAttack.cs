using System.Diagnostics;
using ClipOod.Autodiff;

namespace ClipOod.Clip;

/// <summary>
/// The feature-based adversarial attack of PLP's paper: perturbs the pixels of an OOD image so that its feature matches that of an ID image.
/// No label is used, and nothing but the smoothness penalty and the range of pixels limits the perturbation.
/// </summary>
/// <remarks>
/// Adapting CLIP for OOD detection (arXiv:2303.05828, TMLR 2024): minimises −mean cos(Φ(y+δ), Φ(x)) + λ (mean (∂ᵣδ)² + mean (∂ₖδ)²) by Adam
/// on δ alone, from δ₀ = 0.001·N(0, 1), and clamps δ to [−y, 1−y] at the start and after each step.
/// </remarks>
public static class FeatureAttack
{
    /// <summary>The mean of squared differences to the next row plus that to the next column; the last row and column count as zeros.</summary>
    /// <param name="perturbation">δ, shape (batch, channels, height, width), height and width fixed and at least 2.</param>
    /// <returns>A scalar.</returns>
    /// <exception cref="ArgumentException">The shape is another.</exception>
    public static Tensor Smoothness(Tensor perturbation)
    {
        ArgumentNullException.ThrowIfNull(perturbation);
        if (perturbation.Rank != 4 || perturbation.Shape.Skip(1).Any(size => !size.IsFixed) || perturbation.Shape.Skip(2).Any(size => size.Size < 2))
        {
            throw new ArgumentException($"The perturbation has shape {perturbation.Shape}, expected (batch, channels, height, width) with sides of at least 2.", nameof(perturbation));
        }

        double count = perturbation.Shape.Skip(1).Aggregate(1.0, (product, size) => product * size.Size);
        Tensor mean(int axis)
        {
            Tensor difference = perturbation.Slice(axis, 1..) - perturbation.Slice(axis, ..^1);
            return ((difference * difference).Sum([1, 2, 3]) * (1 / count)).Mean();
        }

        return mean(2) + mean(3);
    }

    /// <summary>The cosine of each feature and its target.</summary>
    /// <param name="features">Shape (batch, width); normalised here.</param>
    /// <param name="targets">Shape (batch, width); normalised here.</param>
    /// <returns>Shape (batch).</returns>
    public static Tensor Cosines(Tensor features, Tensor targets) => (features.L2Normalize() * targets.L2Normalize()).Sum([-1]);

    /// <summary>What the attack minimises.</summary>
    /// <param name="features">Of the perturbed images, shape (batch, width).</param>
    /// <param name="targets">Features to match, shape (batch, width).</param>
    /// <param name="perturbation">δ, shape (batch, channels, height, width).</param>
    /// <param name="smoothness">λ, at least 0.</param>
    /// <returns>A scalar.</returns>
    public static Tensor Loss(Tensor features, Tensor targets, Tensor perturbation, double smoothness)
    {
        Tensor mismatch = -Cosines(features, targets).Mean();
        return smoothness == 0 ? mismatch : mismatch + (Smoothness(perturbation) * smoothness);
    }

    /// <summary>The perturbation held so that the perturbed image stays in [0, 1].</summary>
    /// <param name="perturbation">δ.</param>
    /// <param name="images">y, of the same shape, in [0, 1].</param>
    /// <returns>δ in [−y, 1−y].</returns>
    public static Tensor Clamp(Tensor perturbation, Tensor images) => Op.Minimum(Op.Maximum(perturbation, -images), 1 - images);

    /// <summary>Perturbs pictures.</summary>
    /// <param name="model">The model whose features to match, as it is now; it is not changed.</param>
    /// <param name="images">OOD pictures of the model's size.</param>
    /// <param name="targets">For each of them the ID picture to match, of the model's size; PLP takes random training images.</param>
    /// <param name="options">Steps, smoothness, batch size. Defaults to <see cref="FeatureAttackOptions.Patchy"/>.</param>
    /// <param name="cancellation">Stops between steps; the result then holds the batches that were finished.</param>
    /// <exception cref="ArgumentException">A picture is of another size, there is none, their numbers differ, or an option is out of range.</exception>
    /// <exception cref="ArithmeticException">The loss became NaN or infinite.</exception>
    public static FeatureAttackResult Run(
        ClipModel model, IReadOnlyList<RgbImage> images, IReadOnlyList<RgbImage> targets, FeatureAttackOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        int size = model.Config.ImageSize;
        return Run(model, UnitPixels.Of(images, size, nameof(images)), UnitPixels.Of(targets, size, nameof(targets)), options, cancellation);
    }

    /// <summary>Perturbs images given as numbers.</summary>
    /// <param name="model">The model whose features to match, as it is now; it is not changed.</param>
    /// <param name="images">OOD images, count × 3 × size × size, channel-major, each value in [0, 1].</param>
    /// <param name="targets">For each of them the ID image to match, in the same form.</param>
    /// <param name="options">Steps, smoothness, batch size. Defaults to <see cref="FeatureAttackOptions.Patchy"/>.</param>
    /// <param name="cancellation">Stops between steps; the result then holds the batches that were finished.</param>
    /// <exception cref="ArgumentException">A value is outside [0, 1], there is no image, their numbers differ, or an option is out of range.</exception>
    /// <exception cref="ArithmeticException">The loss became NaN or infinite.</exception>
    public static FeatureAttackResult Run(
        ClipModel model, ReadOnlyMemory<float> images, ReadOnlyMemory<float> targets, FeatureAttackOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        options ??= FeatureAttackOptions.Patchy;
        options.Validate();
        int size = model.Config.ImageSize, total = UnitPixels.Check(images.Span, size, nameof(images));
        int aims = UnitPixels.Check(targets.Span, size, nameof(targets));
        if (aims != total)
        {
            throw new ArgumentException($"Got {aims} targets for {total} images, expected one for each.", nameof(targets));
        }

        Stopwatch clock = Stopwatch.StartNew();
        using FeatureAttackSession session = new(model, options);
        List<AttackedBatch> finished = [];
        for (int first = 0; first < total && !cancellation.IsCancellationRequested; first += options.BatchSize)
        {
            int count = Math.Min(options.BatchSize, total - first), values = 3 * size * size;
            ReadOnlyMemory<float> batchImages = images.Slice(first * values, count * values), batchTargets = targets.Slice(first * values, count * values);
            AttackedBatch? batch = session.Run(first, batchImages, batchTargets, told: (step, loss) => Tell(step == options.Steps ? first + count : first, step, loss), cancellation);
            if (batch is null)
            {
                break;
            }

            finished.Add(batch);
        }

        return new()
        {
            Pixels = Join(finished.Select(batch => batch.Pixels)),
            Size = size,
            Features = Join(finished.Select(batch => batch.Features)),
            Width = session.Width,
            CosinesBefore = [.. finished.SelectMany(batch => batch.CosinesBefore)],
            CosinesAfter = [.. finished.SelectMany(batch => batch.CosinesAfter)],
            CosinesRounded = [.. finished.SelectMany(batch => batch.CosinesRounded)],
            SquaredPerturbations = [.. finished.SelectMany(batch => batch.SquaredPerturbations)],
            Total = total,
        };

        void Tell(int done, int step, double loss) => options.Progress?.Report(new(done, total, step, options.Steps, loss, clock.Elapsed));
    }

    private static float[] Join(IEnumerable<float[]> parts)
    {
        float[] joined = new float[parts.Sum(part => part.Length)];
        int at = 0;
        foreach (float[] part in parts)
        {
            part.CopyTo(joined, at);
            at += part.Length;
        }

        return joined;
    }
}
