using ClipOod.Autodiff;

namespace ClipOod.Clip;

/// <summary>
/// Trains the "no" text tower of a model with CLIPN's losses (Wang et al. 2023, arXiv 2308.12213; reference code: xmed-lab/CLIPN). Image tower,
/// text tower and logit scale stay as they are, so that the features of images can be computed once and given again at every step.
/// </summary>
public sealed class ClipnTrainer : IDisposable
{
    private readonly ClipModel _model;
    private readonly ClipTokenizer _tokenizer;
    private readonly ClipnTrainerOptions _options;
    private readonly Random _random;
    private readonly Trainer _trainer;
    private readonly Evaluator _imageTower;
    private readonly Tensor _images;
    private readonly Tensor _ids;
    private readonly Tensor _noIds;
    private readonly Tensor? _mixture;
    private long? _totalSteps;

    /// <summary>Freezes the model's towers and logit scale, adds the losses and the update to its graph and loads them.</summary>
    /// <param name="model">The model, with a tokenizer; one trainer of this kind can be made for it.</param>
    /// <param name="noTower">The tower to train, of the same model. Defaults to a new copy of the text tower with 16 prompts of zeros.</param>
    /// <param name="options">Learning rate, templates, seed. Defaults to the released code's.</param>
    /// <exception cref="ArgumentException">The model has no tokenizer or such a trainer already, the tower is another model's, or templates do not fit.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range.</exception>
    public ClipnTrainer(ClipModel model, ClipNoTextTower? noTower = null, ClipnTrainerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        _model = model;
        _tokenizer = model.Tokenizer ?? throw new ArgumentException("The model has no tokenizer, which captions need: give one when it is loaded or made.", nameof(model));
        _options = options ??= new();
        _random = new Random(options.Seed);
        _totalSteps = options.TotalSteps;
        float[]? learned = LearnedPlaces(options.Templates);
        NoTower = noTower ?? ClipNoTextTower.CopyOf(model);
        if (NoTower.Tower.Graph != model.Graph)
        {
            throw new ArgumentException("The \"no\" tower belongs to another model: make it by ClipNoTextTower.CopyOf or Load with this one.", nameof(noTower));
        }

        Graph graph = model.Graph;
        _images = graph.Input("clipn.image_features", ElementType.Float, "batch", model.Width);
        _ids = graph.Input("clipn.ids", ElementType.Int64, "batch", "length");
        _noIds = graph.Input("clipn.no_ids", ElementType.Int64, "batch", "no_length");
        _mixture = learned is null ? null : graph.Input("clipn.mixture", ElementType.Float, "batch", NoTower.Prompts.Shape[0]);
        Tensor noFeatures = learned is null
            ? NoTower.Encode(_noIds)
            : NoTower.Encode(_noIds, _mixture, graph.Constant<float>(learned, model.ContextLength, 1));
        Loss = ClipLosses.Clipn(_images, model.TextTower.Encode(_ids), noFeatures, model.LogitScale, options.DuplicateCosine);

        model.ImageTower.SetTrainable(false);
        model.TextTower.SetTrainable(false);
        model.LogitScale.Trainable = false;
        NoTower.SetTrainable(true);
        NoTower.Prompts.Trainable = _mixture is not null;
        _trainer = new Trainer(
            Loss.Total,
            new AdamW(options.LearningRate, options.Beta1, options.Beta2, options.Epsilon, options.WeightDecay),
            new TrainerOptions
            {
                Schedule = step => _totalSteps is long total ? Schedule.Cosine(total)(step) : 1,
                WeightDecay = weight => weight.Rank < 2 ? 0 : options.WeightDecay,
                Monitors = [Loss.Matching, Loss.Unrelated, Loss.TextSemantics],
            });
        _imageTower = new Evaluator([model.ImageFeatures], constantWeights: true);
    }

    /// <summary>
    /// The tower that learns. <see cref="ClipNoTextTower.Save"/> writes it, <see cref="ClipNoTextTower.EncodeNoClasses"/> gives the "no" features
    /// of classes as it is at that time.
    /// </summary>
    public ClipNoTextTower NoTower { get; }

    /// <summary>The loss in the graph.</summary>
    public ClipnLoss Loss { get; }

    /// <summary>Number of updates made.</summary>
    public long Updates => _trainer.Updates;

    /// <summary>Learning rate of the next update.</summary>
    public double LearningRate => _trainer.LearningRate;

    /// <summary>One step on images whose features are known.</summary>
    /// <param name="imageFeatures">Batch × <see cref="ClipEncoder.Width"/>, of any length; see <see cref="ClipEncoding.Values"/>.</param>
    /// <param name="captions">The captions; with templates, what fills them.</param>
    /// <returns>The losses before the update.</returns>
    /// <exception cref="ArgumentException">There are not as many images as captions, or a caption is empty where templates are filled.</exception>
    /// <exception cref="ArithmeticException">The loss is NaN or infinite; the weights stay as they were.</exception>
    public ClipnLossValues Step(ReadOnlyMemory<float> imageFeatures, IReadOnlyList<string> captions)
    {
        ArgumentNullException.ThrowIfNull(captions);
        if (captions.Count == 0 || imageFeatures.Length != captions.Count * _model.Width)
        {
            throw new ArgumentException(
                $"Got {imageFeatures.Length} values of image features, expected {captions.Count} captions x {_model.Width} of at least one caption.", nameof(imageFeatures));
        }

        (string[] yes, string[] no) = Sentences(captions);
        TensorValue noIds = Ids(no);
        List<Feed> feeds =
        [
            (_images.Name, imageFeatures.ToArray()),
            (_ids.Name, ReferenceEquals(yes, no) ? noIds : Ids(yes)),
            (_noIds.Name, noIds),
        ];
        if (_mixture is not null)
        {
            feeds.Add((_mixture.Name, NoTower.DrawMixture(captions.Count, _random)));
        }

        _trainer.Step([.. feeds]);
        double[] terms = [.. _trainer.Monitored.Select(value => value.ToDouble())];
        return new(terms[0], terms[1], terms[2]);
    }

    /// <summary>One step on images as they are.</summary>
    /// <param name="pixels">Normalised images, batch × 3 × size × size; see <see cref="ClipEncoder.ImageProcessor"/>.</param>
    /// <param name="captions">The captions; with templates, what fills them.</param>
    /// <returns>The losses before the update.</returns>
    /// <exception cref="ArgumentException">There are not as many images as captions, or a caption is empty where templates are filled.</exception>
    /// <exception cref="ArithmeticException">The loss is NaN or infinite; the weights stay as they were.</exception>
    public ClipnLossValues StepPixels(Memory<float> pixels, IReadOnlyList<string> captions) =>
        Step(_imageTower.Run((_model.Pixels.Name, pixels))[0].Values<float>(), captions);

    /// <summary>Trains on images whose features are known, in batches that are drawn anew in each epoch.</summary>
    /// <param name="imageFeatures">Images × <see cref="ClipEncoder.Width"/>, of any length; see <see cref="ClipEncoding.Values"/>.</param>
    /// <param name="captions">A caption for each image; with templates, what fills them.</param>
    /// <param name="epochs">Passes over the images, at least 1.</param>
    /// <param name="batchSize">Images per step, at least 2; what is left of an epoch over whole batches is left out, as in the released code.</param>
    /// <param name="progress">Told after every step, on this thread: its number from 0, and its losses. Defaults to nothing.</param>
    /// <param name="cancellation">Stops between steps; what was learned until then stays.</param>
    /// <returns>The losses of the first step before anything was learned, then the mean losses of each epoch.</returns>
    /// <exception cref="ArgumentException">There are not as many images as captions, fewer than a batch, or a caption is empty where templates are filled.</exception>
    /// <exception cref="InvalidOperationException">The learning rate has fallen to 0 in earlier steps.</exception>
    /// <exception cref="ArithmeticException">The loss became NaN or infinite; the weights are those before that step.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public IReadOnlyList<ClipnLossValues> Train(
        ReadOnlyMemory<float> imageFeatures,
        IReadOnlyList<string> captions,
        int epochs,
        int batchSize,
        Action<long, ClipnLossValues>? progress = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(captions);
        ArgumentOutOfRangeException.ThrowIfLessThan(epochs, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 2);
        int width = _model.Width;
        if (captions.Count < batchSize || imageFeatures.Length != captions.Count * width)
        {
            throw new ArgumentException(
                $"Got {imageFeatures.Length} values of image features and {captions.Count} captions, expected {width} values for each caption and a batch of {batchSize} at least.",
                nameof(imageFeatures));
        }

        int batches = captions.Count / batchSize;
        if (Updates >= _totalSteps)
        {
            throw new InvalidOperationException(
                $"The learning rate has fallen to 0 after {_totalSteps} steps, so that nothing more would be learned: set {nameof(ClipnTrainerOptions.TotalSteps)} to the steps of all calls.");
        }

        _totalSteps ??= Updates + ((long)epochs * batches);
        int[] order = [.. Enumerable.Range(0, captions.Count)];
        List<ClipnLossValues> history = [];
        for (int epoch = 0; epoch < epochs; epoch++)
        {
            _random.Shuffle(order);
            List<ClipnLossValues> steps = [];
            foreach (int[] rows in order.Chunk(batchSize).Take(batches))
            {
                cancellation.ThrowIfCancellationRequested();
                float[] features = new float[rows.Length * width];
                for (int i = 0; i < rows.Length; i++)
                {
                    imageFeatures.Slice(rows[i] * width, width).CopyTo(features.AsMemory(i * width));
                }

                steps.Add(Step(features, [.. rows.Select(row => captions[row])]));
                progress?.Invoke(Updates - 1, steps[^1]);
            }

            if (epoch == 0)
            {
                history.Add(steps[0]);
            }

            history.Add(new(steps.Average(step => step.Matching), steps.Average(step => step.Unrelated), steps.Average(step => step.Tso)));
        }

        return history;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _trainer.Dispose();
        _imageTower.Dispose();
    }

    /// <summary>What the two towers read; the same array where there are no templates.</summary>
    private (string[] Yes, string[] No) Sentences(IReadOnlyList<string> captions)
    {
        if (_options.Templates is not { } templates)
        {
            string[] same = [.. captions];
            return (same, same);
        }

        ClipnTemplate[] drawn = [.. captions.Select(_ => templates[_random.Next(templates.Count)])];
        return (
            [.. drawn.Select((template, i) => PromptTemplates.Fill(template.Yes, captions[i]))],
            [.. drawn.Select((template, i) => PromptTemplates.Fill(template.No, captions[i]))]);
    }

    /// <summary>Token numbers, cut after the last end token: what follows it has no influence and takes its time.</summary>
    private TensorValue Ids(string[] texts)
    {
        int[,] rows = _tokenizer.EncodeRows(texts, _model.ContextLength);
        int length = 1 + Enumerable.Range(0, texts.Length)
            .Max(row => Enumerable.Range(0, _model.ContextLength).First(column => rows[row, column] == _tokenizer.EndId));
        long[] ids = [.. from row in Enumerable.Range(0, texts.Length) from column in Enumerable.Range(0, length) select (long)rows[row, column]];
        return TensorValue.Of(ids, texts.Length, length);
    }

    /// <summary>
    /// Ones at the positions where prompts are learned: all without templates, those of the keyword with keywords; null where none are.
    /// Prompts belong to positions, so that the keywords of a pool must have the same.
    /// </summary>
    private float[]? LearnedPlaces(IReadOnlyList<ClipnTemplate>? templates)
    {
        float[] places = new float[_model.ContextLength];
        if (templates is null)
        {
            Array.Fill(places, 1);
            return places;
        }

        foreach (ClipnTemplate template in templates)
        {
            _ = PromptTemplates.Fill(template.Yes, "x");
            _ = PromptTemplates.Fill(template.No, "x");
        }

        if (templates.Count == 0 || templates.Any(template => template.Keyword is null) != templates.All(template => template.Keyword is null))
        {
            throw new ArgumentException($"Got {templates.Count} templates, expected at least one, and a keyword in all of them or in none.", nameof(templates));
        }

        if (templates[0].Keyword is null)
        {
            return null;
        }

        Range[] keywords = [.. templates.Select(template => template.KeywordPlaces(_tokenizer)).Distinct()];
        if (keywords.Length > 1)
        {
            throw new ArgumentException(
                $"The keywords are at the places {string.Join(" and ", keywords)} of their sentences, expected one place: the learned vectors belong to it.", nameof(templates));
        }

        places.AsSpan(keywords[0]).Fill(1);
        return places;
    }
}
