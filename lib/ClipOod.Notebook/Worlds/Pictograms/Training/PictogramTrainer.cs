using System.Diagnostics;
using System.Text.Json;
using ClipOod.Autodiff;
using ClipOod.Clip;

namespace ClipOod.Notebook;

/// <summary>
/// Trains a tiny CLIP from scratch on pictures that are drawn as they are needed, each once. Every step's pictures and captions follow
/// from the seed and the step's number, so a resumed training goes on as if it had not been interrupted.
/// </summary>
internal sealed class PictogramTrainer : IDisposable
{
    private const string CheckpointFile = "checkpoint.safetensors";
    private const string HistoryFile = "history.json";
    private const int CaptionsPerConcept = 60;
    private const int MaxMerges = 1000;
    private const double LogitScaleRate = 5;

    private static readonly JsonSerializerOptions _json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    private readonly Concept[] _concepts;
    private readonly PictogramTrainingOptions _options;
    private readonly ClipTrainer _trainer;
    private readonly List<PictogramMeasurement> _history = [];
    private readonly (RgbImage[] Pictures, int[] Labels) _validation;
    private readonly List<double> _losses = [];

    /// <summary>Learns the vocabulary and makes the model with random weights.</summary>
    /// <param name="concepts">All concepts; those that are held out are left out here.</param>
    /// <param name="options">How to train.</param>
    /// <exception cref="ArgumentException">There are fewer concepts than a batch has pictures.</exception>
    public PictogramTrainer(IReadOnlyList<Concept> concepts, PictogramTrainingOptions options)
    {
        ArgumentNullException.ThrowIfNull(concepts);
        ArgumentNullException.ThrowIfNull(options);
        _concepts = [.. concepts.Where(concept => !concept.HeldOut)];
        _options = options;
        if (_concepts.Length < options.BatchSize)
        {
            throw new ArgumentException(
                $"There are {_concepts.Length} concepts to train on for batches of {options.BatchSize}, and each picture of a batch shows another one. Choose a smaller batch.",
                nameof(options));
        }

        Merges = LearnMerges(_concepts, options.Seed);
        ClipTokenizer tokenizer = ClipTokenizer.FromMerges(Merges);
        Model = ClipModel.Create(options.Size.ToConfig(tokenizer.VocabularySize), options.Seed, tokenizer);
        _trainer = new ClipTrainer(Model, new AdamW(options.LearningRate, beta2: 0.98, epsilon: 1e-6, weightDecay: options.WeightDecay), new TrainerOptions
        {
            Schedule = Schedule.Cosine(options.Steps, warmup: Math.Max(1, options.Steps * 3 / 100)),
            MaxGradientNorm = 1,
            LearningRateScale = weight => weight == Model.LogitScale ? LogitScaleRate : 1,
        });
        _validation = DrawValidation();
    }

    /// <summary>The model as it is now.</summary>
    public ClipModel Model { get; }

    /// <summary>The merges of its tokenizer.</summary>
    public IReadOnlyList<string> Merges { get; }

    /// <summary>What was measured so far.</summary>
    public IReadOnlyList<PictogramMeasurement> History => _history;

    /// <summary>Updates made.</summary>
    public long Step => _trainer.Updates;

    /// <summary>Time spent on these updates, in all runs that were resumed.</summary>
    public TimeSpan Trained { get; private set; }

    /// <summary>Trains to the end, from where a checkpoint in the folder left off.</summary>
    /// <param name="folder">Where checkpoints go; made if it is not there.</param>
    /// <param name="progress">Told after every update.</param>
    /// <param name="cancellation">Stops after an update, with a checkpoint.</param>
    /// <exception cref="OperationCanceledException">It was cancelled; a checkpoint is there.</exception>
    /// <exception cref="InvalidDataException">The folder's checkpoint is of another training.</exception>
    public void Run(string folder, IProgress<PictogramProgress>? progress = null, CancellationToken cancellation = default)
    {
        Directory.CreateDirectory(folder);
        Resume(folder);
        long first = Step;
        TimeSpan before = Trained;
        Stopwatch clock = Stopwatch.StartNew();
        Task<Batch>? next = null;
        while (Step < _options.Steps)
        {
            if (cancellation.IsCancellationRequested)
            {
                SaveCheckpoint(folder);
                cancellation.ThrowIfCancellationRequested();
            }

            long step = Step;
            Batch batch = (next ?? Task.Run(() => Draw(step), CancellationToken.None)).GetAwaiter().GetResult();
            next = step + 1 < _options.Steps ? Task.Run(() => Draw(step + 1), CancellationToken.None) : null;
            double loss = _trainer.Step(batch.Pixels, batch.Tokens);
            _losses.Add(loss);
            Trained = before + clock.Elapsed;
            PictogramMeasurement? measurement = null;
            if (Step % _options.MeasureEvery == 0 || Step == _options.Steps)
            {
                measurement = Measure();
                SaveCheckpoint(folder);
            }

            double rate = (Step - first) * _options.BatchSize / clock.Elapsed.TotalSeconds;
            progress?.Report(new(Step, _options.Steps, loss, rate, TimeSpan.FromSeconds((_options.Steps - Step) * _options.BatchSize / rate), measurement));
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _trainer.Dispose();
        Model.Dispose();
    }

    private sealed record Batch(float[] Pixels, int[,] Tokens);

    private static IReadOnlyList<string> LearnMerges(IReadOnlyList<Concept> concepts, int seed) => BpeTraining.Learn(
        concepts.SelectMany(concept => Enumerable.Range(0, CaptionsPerConcept).Select(i =>
        {
            Random random = new(PictogramSeed.Of($"words {seed}", concept.Name, i));
            return CaptionWriter.Write(concept, PictogramStyle.Random(concept, random), random);
        })),
        MaxMerges);

    private Batch Draw(long step)
    {
        Random random = new(PictogramSeed.Of("batch", _options.Seed.ToString(System.Globalization.CultureInfo.InvariantCulture), (int)step));
        Concept[] order = [.. _concepts];
        random.Shuffle(order);
        double difficulty = Math.Clamp(step / (_options.EasyShare * _options.Steps), 0.1, 1);
        int each = Model.ImageProcessor.ValueCount;
        float[] pixels = new float[_options.BatchSize * each];
        string[] captions = new string[_options.BatchSize];
        using PictogramArtist artist = new();
        for (int i = 0; i < captions.Length; i++)
        {
            PictogramStyle style = PictogramStyle.Random(order[i], random, difficulty);
            Model.ImageProcessor.Process(artist.Draw(order[i], style, random), pixels.AsSpan(i * each, each));
            captions[i] = CaptionWriter.Write(order[i], style, random);
        }

        return new Batch(pixels, Model.Tokenizer!.EncodeRows(captions, PictogramModelSize.ContextLength));
    }

    private (RgbImage[] Pictures, int[] Labels) DrawValidation()
    {
        using PictogramArtist artist = new();
        int[] labels = [.. Enumerable.Range(0, _concepts.Length).SelectMany(k => Enumerable.Repeat(k, _concepts[k].Set == "A" ? 30 : 4))];
        return ([.. labels.Select((k, i) => artist.Draw(_concepts[k], PictogramSeed.Of("validate", _concepts[k].Name, i)))], labels);
    }

    private PictogramMeasurement Measure()
    {
        ClipEncoding texts = Model.EncodeTexts([.. _concepts.Select(concept => PromptTemplates.Fill(CaptionWriter.Prompt, concept.Name))]);
        ClipEncoding images = Model.EncodeImages(_validation.Pictures, new ClipEncodingOptions { BatchSize = 64 });
        double Accuracy(Func<Concept, bool> among)
        {
            int[] classes = [.. Enumerable.Range(0, _concepts.Length).Where(k => among(_concepts[k]))];
            int[] rows = [.. Enumerable.Range(0, images.Count).Where(i => among(_concepts[_validation.Labels[i]]))];
            return rows.Average(i => classes.MaxBy(k => System.Numerics.Tensors.TensorPrimitives.Dot(images.Row(i), texts.Row(k))) == _validation.Labels[i] ? 1.0 : 0);
        }

        PictogramMeasurement measurement = new(
            Step, _losses.Average(), Math.Exp(Model.LogitScale.Value.ToDouble()), Accuracy(concept => concept.Set == "A"), Accuracy(_ => true));
        _losses.Clear();
        _history.Add(measurement);
        return measurement;
    }

    private void SaveCheckpoint(string folder)
    {
        _trainer.SaveCheckpoint(Path.Combine(folder, CheckpointFile));
        AtomicFile.Write(Path.Combine(folder, HistoryFile), JsonSerializer.Serialize(new Saved(_options, Trained, _history, _losses), _json));
    }

    private void Resume(string folder)
    {
        string history = Path.Combine(folder, HistoryFile);
        if (!File.Exists(history))
        {
            return;
        }

        Saved saved = JsonSerializer.Deserialize<Saved>(File.ReadAllText(history), _json)
            ?? throw new InvalidDataException($"{history} is empty. Delete the folder {folder} to start anew.");
        if (saved.Options != _options)
        {
            throw new InvalidDataException($"{folder} holds a checkpoint of another training ({saved.Options}), expected one of {_options}. Delete the folder to start anew.");
        }

        _trainer.LoadCheckpoint(Path.Combine(folder, CheckpointFile));
        Trained = saved.Trained;
        _history.AddRange(saved.History);
        _losses.AddRange(saved.Losses);
    }

    private sealed record Saved(PictogramTrainingOptions Options, TimeSpan Trained, IReadOnlyList<PictogramMeasurement> History, IReadOnlyList<double> Losses);
}
