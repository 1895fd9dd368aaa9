using ClipOod.Clip;

namespace ClipOod.Notebook.Tests;

/// <summary>Training on a few concepts with the smallest model: what is drawn, learned, kept and resumed.</summary>
public sealed class TrainingTests
{
    private static readonly Concept[] _concepts = [.. Concepts.All.Where(concept => concept.Set == "A")];

    private static readonly PictogramTrainingOptions _options = new()
    {
        Size = PictogramModelSize.Named["micro"],
        Steps = 8,
        BatchSize = 6,
        MeasureEvery = 4,
    };

    [Fact]
    public void Run_ThatWasInterrupted_GoesOnToTheSameEnd()
    {
        using TemporaryFolder whole = new(), halves = new();
        using PictogramTrainer first = new(_concepts, _options);
        Losses all = new();
        first.Run(whole.Path, all, TestContext.Current.CancellationToken);

        Losses parts = new();
        using (PictogramTrainer half = new(_concepts, _options))
        {
            using CancellationTokenSource stop = new();
            Assert.Throws<OperationCanceledException>(() => half.Run(halves.Path, new Losses(parts, step => step == 5 ? stop : null), stop.Token));
        }

        using PictogramTrainer rest = new(_concepts, _options);
        rest.Run(halves.Path, parts, TestContext.Current.CancellationToken);
        Assert.Equal(Enumerable.Range(1, 8).Select(step => (long)step), parts.All.Select(step => step.Step));
        Assert.All(all.All.Zip(parts.All), pair => Assert.Equal(pair.First.Loss, pair.Second.Loss, 1e-4));
        Assert.Equal(first.History.Select(m => m.Step), rest.History.Select(m => m.Step));
        Assert.All(first.History.Zip(rest.History), pair => Assert.Equal(pair.First.Loss, pair.Second.Loss, 1e-4));
    }

    [Fact]
    public void Run_OnTheCheckpointOfAnotherTraining_IsRefused()
    {
        using TemporaryFolder folder = new();
        using (PictogramTrainer trainer = new(_concepts, _options with { Steps = 4 }))
        {
            trainer.Run(folder.Path, cancellation: TestContext.Current.CancellationToken);
        }

        using PictogramTrainer other = new(_concepts, _options with { Steps = 4, Seed = 1 });
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => other.Run(folder.Path, cancellation: TestContext.Current.CancellationToken));
        Assert.Contains("checkpoint of another training", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Trainer_WithFewerConceptsThanABatchHasPictures_IsRefused()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => new PictogramTrainer(_concepts, _options with { BatchSize = 11 }));
        Assert.Contains("10 concepts to train on for batches of 11", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Vocabulary_HoldsEveryTrainedNameAsWholeWords_AndNoHeldOutOne()
    {
        using PictogramTrainer trainer = new(Concepts.All, _options);
        ClipTokenizer tokenizer = trainer.Model.Tokenizer!;
        Assert.All(Concepts.All.Where(concept => !concept.HeldOut), concept => Assert.Equal(concept.Name.Split(' ').Length, tokenizer.Encode(concept.Name).Length));
        string[] known = [.. Concepts.All.Where(concept => !concept.HeldOut).SelectMany(concept => concept.Synonyms.Prepend(concept.Name)).SelectMany(name => name.Split(' '))];
        Assert.All(
            Concepts.All.Where(concept => concept.HeldOut && !known.Contains(concept.Name)),
            concept => Assert.True(tokenizer.Encode(concept.Name).Length > 1, $"'{concept.Name}' is one token, so it was in the captions."));
    }

    [Fact]
    public void Captions_FitTheContext()
    {
        using PictogramTrainer trainer = new(Concepts.All, _options);
        Assert.All(
            Concepts.All.Where(concept => !concept.HeldOut).SelectMany(concept => Enumerable.Range(0, 30).Select(seed =>
            {
                Random random = new(seed);
                return CaptionWriter.Write(concept, PictogramStyle.Random(concept, random), random);
            })),
            caption => Assert.InRange(trainer.Model.Tokenizer!.Encode(caption).Length + 2, 3, PictogramModelSize.ContextLength));
    }

    private sealed class Losses(Losses? into = null, Func<long, CancellationTokenSource?>? stop = null) : IProgress<PictogramProgress>
    {
        public List<PictogramProgress> All { get; } = into?.All ?? [];

        public void Report(PictogramProgress value)
        {
            All.Add(value);
            stop?.Invoke(value.Step)?.Cancel();
        }
    }
}
