namespace ClipOod.Notebook;

/// <summary>
/// Pseudo-label probing: a linear head on standardised image features, trained on CLIP's own zero-shot classes instead of labels, and the
/// OOD scores of its logits. The paper takes the features of the image tower before its projection, not normalised. Immutable.
/// </summary>
/// <remarks>Adapting CLIP for OOD detection (arXiv:2303.05828, TMLR 2024); the filter is in its text, not in its released code.</remarks>
public sealed class Plp
{
    private readonly Lazy<Mahalanobis> _mahalanobis;

    private Plp(string name, Standardizer standardizer, LinearHead head, PseudoLabels? pseudoLabels, Embeddings train, IReadOnlyList<int> labels, PlpOptions options)
    {
        (Name, Standardizer, Head, PseudoLabels, TrainCount) = (name, standardizer, head, pseudoLabels, train.Rows);

        // Only the relative Mahalanobis distance needs two images of a class.
        _mahalanobis = new(() => FitMahalanobis(head.Logits(train), labels, options));
    }

    /// <summary>What its scores' names begin with: "PLP", or "Probe" for true labels.</summary>
    public string Name { get; }

    /// <summary>Mean and deviation of all training features, kept or not.</summary>
    public Standardizer Standardizer { get; }

    /// <summary>The trained head; its features are standardised.</summary>
    public LinearHead Head { get; }

    /// <summary>
    /// What the head was trained on, with the classes that the filter had emptied (<see cref="PseudoLabels.RescuedClasses"/>) and those that
    /// no image was given (<see cref="PseudoLabels.EmptyClasses"/>); null for true labels.
    /// </summary>
    public PseudoLabels? PseudoLabels { get; }

    /// <summary>Number of images that the head was trained on.</summary>
    internal int TrainCount { get; }

    /// <summary>Trains a probe on zero-shot classes.</summary>
    /// <param name="trainFeatures">Features of the training images as the image tower gives them, shape (N, D), N at least 2.</param>
    /// <param name="zeroShotProbabilities">
    /// The same images' zero-shot probabilities at logit scale 100, shape (N, K). A class that loses all its images to the filter keeps the
    /// most probable ones; one that is no image's most probable class has none to keep, so that the head learns only what is not of it.
    /// </param>
    /// <param name="options">Filter, training, covariances. Defaults to <see cref="PlpOptions.Filtered"/>.</param>
    /// <param name="onEpoch">Called after each epoch. Defaults to nothing.</param>
    /// <param name="initial">Parameters to begin with. Defaults to those of the seed.</param>
    /// <exception cref="ArgumentException">
    /// The numbers of rows differ, there are fewer than two, a feature is NaN or infinite, the probabilities are none, all images kept are of
    /// one class, or an option is out of range.
    /// </exception>
    /// <exception cref="InvalidOperationException">The loss became NaN or infinite.</exception>
    public static Plp Train(
        Embeddings trainFeatures,
        Matrix zeroShotProbabilities,
        PlpOptions? options = null,
        Action<EpochReport>? onEpoch = null,
        LinearHead? initial = null)
    {
        ArgumentNullException.ThrowIfNull(trainFeatures);
        ArgumentNullException.ThrowIfNull(zeroShotProbabilities);
        options ??= PlpOptions.Filtered;
        if (zeroShotProbabilities.Rows != trainFeatures.Rows)
        {
            throw new ArgumentException(
                $"Got probabilities of {zeroShotProbabilities.Rows} images for features of {trainFeatures.Rows}, expected the same images in the same order.",
                nameof(zeroShotProbabilities));
        }

        PseudoLabels pseudo = PseudoLabels.From(zeroShotProbabilities, options.MinProbability, options.KeepAtLeastPerEmptyClass);
        Standardizer standardizer = Standardizer.Fit(trainFeatures);
        Embeddings kept = standardizer.Transform(trainFeatures.Select(pseudo.Kept));
        LinearHead head = LinearHead.Train(kept, pseudo.KeptLabels, zeroShotProbabilities.Columns, options.Head, onEpoch, initial);
        return new Plp("PLP", standardizer, head, pseudo, kept, pseudo.KeptLabels, options);
    }

    /// <summary>Linear probing, PLP's upper bound: the same training with true labels, on all images.</summary>
    /// <param name="trainFeatures">Features of the training images as the image tower gives them, shape (N, D), N at least 2.</param>
    /// <param name="labels">True class of every image, 0 to K−1; N of them, of at least two classes.</param>
    /// <param name="numClasses">K, at least 2.</param>
    /// <param name="options">Training and covariances; there is no filter here. Defaults to <see cref="PlpOptions.Unfiltered"/>.</param>
    /// <param name="onEpoch">Called after each epoch. Defaults to nothing.</param>
    /// <param name="initial">Parameters to begin with. Defaults to those of the seed.</param>
    /// <exception cref="ArgumentException">
    /// Labels and rows differ in number, there are fewer than two rows, a label is out of range, all are of one class, a feature is NaN or
    /// infinite, or an option is out of range.
    /// </exception>
    /// <exception cref="InvalidOperationException">The loss became NaN or infinite.</exception>
    internal static Plp WithTrueLabels(
        Embeddings trainFeatures,
        IReadOnlyList<int> labels,
        int numClasses,
        PlpOptions? options = null,
        Action<EpochReport>? onEpoch = null,
        LinearHead? initial = null)
    {
        options ??= PlpOptions.Unfiltered;
        Standardizer standardizer = Standardizer.Fit(trainFeatures);
        Embeddings train = standardizer.Transform(trainFeatures);
        LinearHead head = LinearHead.Train(train, labels, numClasses, options.Head, onEpoch, initial);
        return new Plp("Probe", standardizer, head, null, train, [.. labels], options);
    }

    /// <summary>The probe of the detectors "plp-…" on an ID side: trained on its zero-shot classes on first use, and then kept.</summary>
    /// <param name="known">Training images and class texts.</param>
    /// <param name="minProbability">Smallest zero-shot probability of an image to train on, 0 to 1. Defaults to the paper's 0.9.</param>
    /// <param name="pooled">Whether to train on features before the projection. Defaults to false.</param>
    /// <param name="seed">Of the first weights and the order of the images. Defaults to 0.</param>
    /// <exception cref="DetectorUnavailableException">Features before the projection were asked for where there is no model.</exception>
    /// <exception cref="InvalidOperationException">There are no training images.</exception>
    public static Plp Fit(IdSide known, double minProbability = 0.9, bool pooled = false, int seed = 0)
    {
        ArgumentNullException.ThrowIfNull(known);
        return known.Shared(FormattableString.Invariant($"PLP {minProbability} {pooled} {seed}"), () => Train(
            View(known, pooled)(known.Train),
            Scores.Softmax(Similarity.Cosines(known.Train.Features, known.Text.Features).Scale(known.LogitScale)),
            PlpOptions.Filtered with { MinProbability = minProbability, Head = HeadOptions.Plp with { Seed = seed } }));
    }

    /// <summary>The probe of the detectors "probe-…" on an ID side: trained on its true labels on first use, and then kept.</summary>
    /// <inheritdoc cref="Fit"/>
    /// <param name="known">Training images with labels.</param>
    /// <param name="pooled">Whether to train on features before the projection. Defaults to false.</param>
    /// <param name="seed">Of the first weights and the order of the images. Defaults to 0.</param>
    public static Plp FitTrueLabels(IdSide known, bool pooled = false, int seed = 0)
    {
        ArgumentNullException.ThrowIfNull(known);
        return known.Shared(FormattableString.Invariant($"probe {pooled} {seed}"), () => WithTrueLabels(
            View(known, pooled)(known.Train),
            known.Train.Labels,
            known.NumClasses,
            PlpOptions.Unfiltered with { Head = HeadOptions.Plp with { Seed = seed } }));
    }

    /// <summary>The head's logits of every image.</summary>
    /// <param name="features">Features as those of the training, shape (N, D), not yet standardised.</param>
    /// <returns>Shape (N, K), without a scale.</returns>
    /// <exception cref="ArgumentException">The width is not D.</exception>
    public Matrix Logits(Embeddings features) => Head.Logits(Standardizer.Transform(features));

    /// <summary>Maximum softmax probability of the head's logits at temperature 1.</summary>
    /// <param name="features">Features as those of the training, shape (N, D), not yet standardised.</param>
    /// <returns>N scores in [1/K, 1]; higher = more ID.</returns>
    /// <exception cref="ArgumentException">The width is not D.</exception>
    public IdScores Msp(Embeddings features) => Named(Scores.Msp(Logits(features)));

    /// <summary>Negative free energy of the head's logits at temperature 1.</summary>
    /// <param name="features">Features as those of the training, shape (N, D), not yet standardised.</param>
    /// <returns>N scores in the unit of the logits; higher = more ID.</returns>
    /// <exception cref="ArgumentException">The width is not D.</exception>
    public IdScores Energy(Embeddings features) => Named(Scores.Energy(Logits(features)));

    /// <summary>Sum of the head's logits above the smallest one.</summary>
    /// <param name="features">Features as those of the training, shape (N, D), not yet standardised.</param>
    /// <returns>N scores of at least 0; higher = more ID.</returns>
    /// <exception cref="ArgumentException">The width is not D.</exception>
    public IdScores MinShiftedL1(Embeddings features) => Named(Scores.MinShiftedL1(Logits(features)));

    /// <summary>
    /// Relative Mahalanobis distance of the head's logits, with the statistics of the images that it was trained on, grouped by the labels
    /// that it was trained with. Under the paper's covariances, classes of one image or none are left out.
    /// </summary>
    /// <param name="features">Features as those of the training, shape (N, D), not yet standardised.</param>
    /// <returns>N scores; higher = more ID.</returns>
    /// <exception cref="ArgumentException">The width is not D.</exception>
    /// <exception cref="InvalidOperationException">
    /// No class has two training images, another convention than the paper's finds a class without any, or a covariance stays singular.
    /// </exception>
    public IdScores Rmd(Embeddings features) => Named(_mahalanobis.Value.Rmd(Logits(features)));

    private static Mahalanobis FitMahalanobis(Matrix logits, IReadOnlyList<int> labels, PlpOptions options)
    {
        try
        {
            return Mahalanobis.Fit(logits, labels, logits.Columns, options.Convention, options.Shrinkage);
        }
        catch (ArgumentException error)
        {
            throw new InvalidOperationException($"There is no relative Mahalanobis distance of these {logits.Rows} training images: {error.Message}", error);
        }
    }

    private IdScores Named(IdScores scores) => new($"{Name} {scores.Name}", scores.ToArray());

    /// <summary>The detectors of this file, each in its one configuration.</summary>
    internal static IReadOnlyList<Detector> Detectors { get; } =
    [
        .. DetectorsOf(
            "plp",
            "PLP",
            "zero-shot classes",
            DetectorInputs.Text,
            [new("min-probability", 0.9, 0.9, "the paper's; its code keeps all images")],
            fit => Fit(fit.Known, fit["min-probability"], fit["pooled"] != 0, fit.Seed)),
        .. DetectorsOf("probe", "Linear probe", "true labels", DetectorInputs.Labels, [], fit => FitTrueLabels(fit.Known, fit["pooled"] != 0, fit.Seed)),
    ];

    private static IEnumerable<Detector> DetectorsOf(
        string key, string name, string trainedOn, DetectorInputs teacher, IReadOnlyList<Hyperparameter> hyperparameters, Func<Fitting, Plp> fit) =>
        new (string Key, string Name, string Equation, string Member, string Golden, Func<Plp, Embeddings, IdScores> Score)[]
        {
            ("msp", "MSP", "max softmax(z)", nameof(Msp), "plp", (plp, features) => plp.Msp(features)),
            ("energy", "energy", "ln Σ exp z", nameof(Energy), "plp", (plp, features) => plp.Energy(features)),
            ("min-shifted-l1", "min-shifted L1", "Σ (z − min z)", nameof(MinShiftedL1), "plp", (plp, features) => plp.MinShiftedL1(features)),
            ("rmd", "RMD", "RMD of z", nameof(Rmd), "mahalanobis", (plp, features) => plp.Rmd(features)),
        }.Select(score => new ImageDetector(
            new()
            {
                Key = $"{key}-{score.Key}",
                Name = $"{name} {score.Name}",
                Family = DetectorFamily.Trained,
                Authors = "Adaloglou et al.",
                Title = "Adapting Contrastive Language-Image Pretrained (CLIP) Models for Out-of-Distribution Detection",
                Year = 2024,
                Url = new Uri("https://arxiv.org/abs/2303.05828"),
                ReferenceCode = "HHU-MMBS/plp-official-tmlr2024",
                Equation = $"{score.Equation}, z logits of a head trained on {trainedOn}",
                Needs = DetectorInputs.Features | DetectorInputs.TrainImages | teacher,
                Member = $"{nameof(Plp)}.{score.Member}",
                Notebook = 12,
                Golden = score.Golden,
                Hyperparameters = [.. hyperparameters, new("pooled", 0, 1, "0: projected features, which every world has; 1: those before the projection")],
            },
            fitting =>
            {
                Plp plp = fit(fitting);
                Func<FeatureSet, Embeddings> view = View(fitting.Known, fitting["pooled"] != 0);
                return images => score.Score(plp, view(images));
            }));

    private static Func<FeatureSet, Embeddings> View(IdSide known, bool pooled)
    {
        if (!pooled)
        {
            return images => images.Features;
        }

        WorldEncoder encoder = known.Encoder ?? throw new DetectorUnavailableException(
            $"Features before the projection need the model, and the world '{known.World}' holds projected ones only. Run it in the world 'pictograms'.");
        return images => encoder.EncodePooled(images.Images ?? throw new ArgumentException(
            $"Features before the projection need the pixels of {images.Name}, which holds features only.", nameof(images)));
    }
}
