namespace ClipOod.Notebook;

/// <summary>
/// The seminar's detector (document A, second half): a linear head on frozen features, trained on the ID side alone, with a confidence
/// threshold per class that starts at a constant and follows the validation images at the end of every epoch. Immutable.
/// </summary>
public sealed class ThresholdedHead
{
    /// <summary>Where every threshold starts in document A.</summary>
    public const double Start = 0.8;

    private readonly IReadOnlyList<string> _classes;

    private ThresholdedHead(LinearHead head, IReadOnlyList<string> classes, IReadOnlyList<Predictions> validation)
    {
        Head = head;
        _classes = classes;
        Validation = validation;
        Thresholds = Follow()[^1];
    }

    /// <summary>The head after the last epoch.</summary>
    public LinearHead Head { get; }

    /// <summary>What the head said of the validation images after each epoch, from the first on.</summary>
    public IReadOnlyList<Predictions> Validation { get; }

    /// <summary>The thresholds after the last epoch, at the mean confidence of the right validation images of each class.</summary>
    public ClassThresholds Thresholds { get; }

    /// <summary>Trains on the training images, and looks at the validation images after each epoch.</summary>
    /// <param name="known">The ID side of a bench.</param>
    /// <param name="options">How the head is trained; <see cref="HeadOptions.Seminar"/> is the seminar's recipe.</param>
    /// <exception cref="InvalidOperationException">The world has no training side.</exception>
    public static ThresholdedHead Train(IdSide known, HeadOptions options)
    {
        ArgumentNullException.ThrowIfNull(known);
        return Train(known.Train, known.Validation, options);
    }

    /// <summary>Trains on given images of one set of classes, such as those of two data sets together.</summary>
    /// <param name="train">The images to learn from.</param>
    /// <param name="validation">The images that thresholds follow, of the same classes.</param>
    /// <param name="options">How the head is trained.</param>
    /// <exception cref="ArgumentException">The classes differ.</exception>
    public static ThresholdedHead Train(FeatureSet train, FeatureSet validation, HeadOptions options)
    {
        ArgumentNullException.ThrowIfNull(train);
        ArgumentNullException.ThrowIfNull(validation);
        if (!train.Classes.SequenceEqual(validation.Classes))
        {
            throw new ArgumentException(
                $"Got validation images of {validation.NumClasses} classes of {validation.Name}, expected the {train.NumClasses} classes of the training images in their order.",
                nameof(validation));
        }

        List<Predictions> epochs = [];
        LinearHead head = LinearHead.Train(
            train.Features, train.Labels, train.NumClasses, options, report => epochs.Add(Of(report.Head, validation, train.Classes)));
        return new ThresholdedHead(head, train.Classes, epochs);
    }

    /// <summary>The thresholds before the first epoch, and after each.</summary>
    /// <param name="update">How a threshold follows its images. Defaults to the mean of the right ones.</param>
    /// <param name="start">Where every threshold starts. Defaults to the seminar's 0.8.</param>
    /// <returns>One set of thresholds more than there are epochs.</returns>
    public IReadOnlyList<ClassThresholds> Follow(ConfidenceUpdate update = ConfidenceUpdate.MeanCorrect, double start = Start)
    {
        List<ClassThresholds> all = [ConfidenceThresholds.Initial(Head.NumClasses, start)];
        foreach (Predictions validation in Validation)
        {
            all.Add(ConfidenceThresholds.Update(all[^1], validation, update));
        }

        return all;
    }

    /// <summary>What the head says of images; with labels where they are of its classes.</summary>
    /// <param name="images">Images of any classes.</param>
    public Predictions Predict(FeatureSet images) => Of(Head, images, _classes);

    /// <summary>Flags OOD images and the head's own by the thresholds after the last epoch.</summary>
    /// <param name="own">ID images, of which none should be flagged.</param>
    /// <param name="ood">OOD images, of which all should be.</param>
    /// <param name="thresholds">Other thresholds of the same head; null for <see cref="Thresholds"/>.</param>
    public DetectionResult Detect(FeatureSet own, FeatureSet ood, ClassThresholds? thresholds = null) =>
        Detection.EvaluateOod((thresholds ?? Thresholds).Flag(Predict(own)), (thresholds ?? Thresholds).Flag(Predict(ood)));

    /// <summary>The class-normalised score, confidence − threshold: ID-high, negative where an image is flagged.</summary>
    /// <param name="images">Images of any classes.</param>
    public IdScores Score(FeatureSet images) => Thresholds.Normalized(Predict(images));

    private static Predictions Of(LinearHead head, FeatureSet images, IReadOnlyList<string> classes)
    {
        ArgumentNullException.ThrowIfNull(images);
        return Predictions.FromLogits(head.Logits(images.Features), images.Classes.SequenceEqual(classes) ? images.Labels : null);
    }
}

/// <summary>Two heads that decide together (document A, ensemble): each trained on a data set of its own, with thresholds of its own.</summary>
/// <param name="First">The first head; it wins ties.</param>
/// <param name="Second">The second head.</param>
public sealed record HeadPair(ThresholdedHead First, ThresholdedHead Second)
{
    /// <summary>What the pair says of images.</summary>
    /// <param name="images">Images of any classes.</param>
    /// <param name="rule">Defaults to the seminar's: the more confident head decides.</param>
    public EnsembleResult Judge(FeatureSet images, EnsembleRule rule = EnsembleRule.HigherConfidence) =>
        Ensemble.Combine(First.Predict(images), First.Thresholds, Second.Predict(images), Second.Thresholds, rule);

    /// <summary>ID-high scores, negative where an image is flagged, of images judged together: <see cref="EnsembleRule.AverageRank"/> ranks them among each other.</summary>
    /// <param name="own">ID images.</param>
    /// <param name="ood">OOD images.</param>
    /// <param name="rule">Defaults to the seminar's.</param>
    public (IdScores Id, IdScores Ood) Score(FeatureSet own, FeatureSet ood, EnsembleRule rule = EnsembleRule.HigherConfidence)
    {
        ArgumentNullException.ThrowIfNull(own);
        ArgumentNullException.ThrowIfNull(ood);
        IdScores all = Judge(own.Join(ood), rule).Scores;
        return (all.Select([.. Enumerable.Range(0, own.Count)]), all.Select([.. Enumerable.Range(own.Count, ood.Count)]));
    }

    /// <summary>Flags OOD images, and ID images of both data sets.</summary>
    /// <inheritdoc cref="Score" path="/param"/>
    public DetectionResult Detect(FeatureSet own, FeatureSet ood, EnsembleRule rule = EnsembleRule.HigherConfidence)
    {
        (IdScores id, IdScores strange) = Score(own, ood, rule);
        return Detection.EvaluateOod([.. id.Select(score => score < 0)], [.. strange.Select(score => score < 0)]);
    }
}
