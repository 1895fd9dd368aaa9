using System.Globalization;

namespace ClipOod.Notebook;

/// <summary>
/// An OOD detector in one configuration: a card that says what it is, and a fit on the ID side that gives scores. The score itself is a
/// pure function of the library; a detector is the few lines that call it.
/// </summary>
public abstract class Detector
{
    private protected Detector(DetectorCard card) => Card = card;

    /// <summary>What it is, where it comes from and what it needs.</summary>
    public DetectorCard Card { get; }

    /// <summary>The same detector with another value of a hyper-parameter: a variant with a name of its own.</summary>
    /// <param name="hyperparameter">A name of <see cref="DetectorCard.Hyperparameters"/>.</param>
    /// <param name="value">The value; that of the card gives this detector.</param>
    /// <exception cref="ArgumentException">There is no such hyper-parameter; the message lists those there are.</exception>
    public Detector With(string hyperparameter, double value)
    {
        DetectorCard card = Card.With(hyperparameter, value);
        return ReferenceEquals(card, Card) ? this : WithCard(card);
    }

    /// <summary>What the detector needs and the ID side lacks, and where there is it; null where it can be fitted.</summary>
    /// <param name="known">The ID side of a bench.</param>
    public string? Missing(IdSide known)
    {
        ArgumentNullException.ThrowIfNull(known);
        (DetectorInputs Input, bool Has, string What)[] needs =
        [
            (DetectorInputs.TrainImages, known.HasTrain, $"ID training images, and {known.Name} has no training side in the world '{known.World}'. Take a bench that has one"),
            (DetectorInputs.OodText, known.Words.Count > 0, $"words that name neither a class of {known.Name} nor an OOD class, and none is left in the world '{known.World}'. Give the world a longer list"),
            (DetectorInputs.Pixels, known.Encoder is not null, $"the pixels and the model, and the world '{known.World}' holds features only. Run it in the world 'pictograms'"),
            (DetectorInputs.PatchTokens, known.Encoder is not null, $"features of patches, and the world '{known.World}' has no model to make them. Run it in the world 'pictograms'"),
            (DetectorInputs.NoText, known.Encoder?.NoText is not null, $"a trained \"no\" text tower, and the world '{known.World}' has none. Run it in the world 'pictograms', or train one: clipood train no-text"),
        ];
        return needs.Where(need => Card.Needs.HasFlag(need.Input) && !need.Has).Select(need => $"{Card.Name} needs {need.What}.").FirstOrDefault();
    }

    /// <inheritdoc/>
    public override string ToString() => Card.ToString();

    private protected abstract Detector WithCard(DetectorCard card);

    private protected Fitting Check(IdSide known, int seed)
    {
        string? missing = Missing(known);
        return missing is null ? new Fitting(known, Card, seed) : throw new DetectorUnavailableException(missing);
    }

    private protected IdScores Named(IdScores scores, int images) => scores.Count == images
        ? new IdScores(Card.Name, scores.ToArray())
        : throw new InvalidOperationException($"{Card.Name} gave {scores.Count} scores for {images} images, expected one for each.");
}

/// <summary>A detector that judges every image by itself.</summary>
public sealed class ImageDetector : Detector
{
    private readonly Func<Fitting, Func<FeatureSet, IdScores>> _fit;

    internal ImageDetector(DetectorCard card, Func<Fitting, Func<FeatureSet, IdScores>> fit)
        : base(card) => _fit = fit;

    /// <summary>Fits the detector on the ID side.</summary>
    /// <param name="known">Training and validation images, class texts, words, and the model where there is one.</param>
    /// <param name="seed">Of training and of what is drawn at random.</param>
    /// <exception cref="DetectorUnavailableException">The ID side lacks what the detector needs.</exception>
    public FittedDetector Fit(IdSide known, int seed = 0)
    {
        ArgumentNullException.ThrowIfNull(known);
        Func<FeatureSet, IdScores> score = _fit(Check(known, seed));
        int width = known.Text.Features.Width;
        return new FittedDetector(Card, images => images.Features.Width == width
            ? Named(score(images), images.Count)
            : throw new ArgumentException(string.Create(
                CultureInfo.InvariantCulture,
                $"{images.Name} has {images.Features.Width} features, and {Card.Name} was fitted on {width}: were they made by the same model?"), nameof(images)));
    }

    private protected override ImageDetector WithCard(DetectorCard card) => new(card, _fit);
}

/// <summary>A detector that learns from the stream of test images itself, OOD ones included: its scores depend on the order of the stream.</summary>
public sealed class StreamDetector : Detector
{
    private readonly Func<Fitting, Func<Embeddings, IdScores>> _fit;

    internal StreamDetector(DetectorCard card, Func<Fitting, Func<Embeddings, IdScores>> fit)
        : base(card) => _fit = fit;

    /// <inheritdoc cref="ImageDetector.Fit"/>
    public FittedStreamDetector Fit(IdSide known, int seed = 0)
    {
        ArgumentNullException.ThrowIfNull(known);
        Func<Embeddings, IdScores> score = _fit(Check(known, seed));
        return new FittedStreamDetector(Card, stream => Named(score(stream), stream.Rows));
    }

    private protected override StreamDetector WithCard(DetectorCard card) => new(card, _fit);
}

/// <summary>A detector after its fit.</summary>
public sealed class FittedDetector
{
    private readonly Func<FeatureSet, IdScores> _score;

    internal FittedDetector(DetectorCard card, Func<FeatureSet, IdScores> score) => (Card, _score) = (card, score);

    /// <summary>The card of the detector.</summary>
    public DetectorCard Card { get; }

    /// <summary>Scores images.</summary>
    /// <param name="images">N images: features, and pixels where the detector needs them.</param>
    /// <returns>N scores; higher = more ID.</returns>
    /// <exception cref="ArgumentException">The features are not as wide as those of the fit, or the pixels are not there.</exception>
    public IdScores Score(FeatureSet images)
    {
        ArgumentNullException.ThrowIfNull(images);
        return _score(images);
    }
}

/// <summary>A stream detector after its fit.</summary>
public sealed class FittedStreamDetector
{
    private readonly Func<Embeddings, IdScores> _score;

    internal FittedStreamDetector(DetectorCard card, Func<Embeddings, IdScores> score) => (Card, _score) = (card, score);

    /// <summary>The card of the detector.</summary>
    public DetectorCard Card { get; }

    /// <summary>Scores a stream from its beginning, as if the detector had seen nothing before.</summary>
    /// <param name="stream">Unit-norm features of N images in their order, shape (N, D).</param>
    /// <returns>N scores in the order of the stream; higher = more ID.</returns>
    public IdScores Score(Embeddings stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return _score(stream);
    }
}

/// <summary>A detector needs what a bench lacks. The message says what, and where there is it.</summary>
public sealed class DetectorUnavailableException : InvalidOperationException
{
    /// <summary>Makes the exception.</summary>
    /// <param name="message">What is missing, and what to do.</param>
    public DetectorUnavailableException(string message)
        : base(message)
    {
    }
}

/// <summary>What the fit of a detector is given: the ID side, the card with its hyper-parameters, and a seed.</summary>
internal sealed record Fitting(IdSide Known, DetectorCard Card, int Seed)
{
    /// <summary>Text features of the classes, shape (K, D).</summary>
    public Embeddings Text => Known.Text.Features;

    /// <summary>The factor from cosines to logits.</summary>
    public double Scale => Known.LogitScale;

    /// <summary>The value of a hyper-parameter.</summary>
    public double this[string hyperparameter] => Card[hyperparameter];

    /// <summary>Cosines of images and classes, shape (N, K).</summary>
    public Matrix Cosines(FeatureSet images) => Similarity.Cosines(images.Features, Text);

    /// <summary>Zero-shot logits, shape (N, K).</summary>
    public Matrix Logits(FeatureSet images) => Cosines(images).Scale(Scale);

    /// <summary>The pixels of images.</summary>
    public ImageBatch Pixels(FeatureSet images) => images.Images ?? throw new ArgumentException(
        $"{Card.Name} needs the pixels of {images.Name}, which holds features only.", nameof(images));
}
