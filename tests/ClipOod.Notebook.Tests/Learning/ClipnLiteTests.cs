using ClipOod.Autodiff;
using ClipOod.Clip;

namespace ClipOod.Notebook.Tests;

public sealed class ClipnLiteTests
{
    private const int Width = 12;

    private static readonly ClipnLiteOptions _quick = new() { LearningRate = 1e-2, WeightDecay = 0, BatchSize = 8, Epochs = 60, DuplicateCosine = 0.95, Seed = 1 };

    [Theory]
    [InlineData("scale_14.2857", 0)]
    [InlineData("scale_100", 1)]
    public void Losses_EqualTheGoldenValues(string section, int scale)
    {
        Golden inputs = Golden.Get("clipn_losses", "inputs");
        Golden expected = Golden.Get("clipn_losses", "expected", section);
        Graph graph = new("losses");
        Tensor[] features = [.. ((string[])["image", "text", "no_text"]).Select(name => graph.Input(name, ElementType.Float, 4, 3))];
        ClipnLoss loss = ClipLosses.Clipn(features[0], features[1], features[2], graph.Constant(Math.Log(inputs["scales"].Numbers[scale])));
        using Evaluator evaluator = new([loss.Matching, loss.Unrelated, loss.TextSemantics, loss.Total, graph.Gradients(loss.Total, [features[2]])[0]]);
        IReadOnlyList<TensorValue> values = evaluator.Run([.. features.Select(f => (Feed)(f.Name, inputs[f.Name].Embeddings.Values.ToArray()))]);
        ClipnLossValues actual = new(values[0].ToDouble(), values[1].ToDouble(), values[2].ToDouble());

        Golden.AssertClose(expected["itbo_diag"].Number, actual.Matching, Golden.ToleranceOfSingles);
        Golden.AssertClose(expected["itbo_offdiag"].Number, actual.Unrelated, Golden.ToleranceOfSingles);
        Golden.AssertClose(expected["itbo"].Number, actual.Itbo, Golden.ToleranceOfSingles);
        Golden.AssertClose(expected["tso_code_eps1e4"].Number, actual.Tso, Golden.ToleranceOfSingles);
        Golden.AssertClose(expected["total_code"].Number, actual.Total, Golden.ToleranceOfSingles);
        Golden.AssertClose(expected["total_code"].Number, values[3].ToDouble(), Golden.ToleranceOfSingles);
        Golden.AssertClose(
            [.. expected["grad_total_code_wrt_no_text"].Rows.SelectMany(row => row)],
            [.. values[4].Values<float>().Select(value => (double)value)],
            Golden.ToleranceOfSingles);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(4)]
    public void Train_History_BeginsWhereNoIsYes(int? rank)
    {
        (Embeddings images, Embeddings texts, _, _) = Pairs();
        ClipnLite lite = ClipnLite.Train(images, texts, _quick with { Rank = rank, Epochs = 2 });
        Assert.Equal(3, lite.History.Count);
        Assert.Equal(1.386294, lite.History[0].Itbo, 1e-5);
        Assert.Equal(1.99, lite.History[0].Tso, 1e-3);
        Assert.True(lite.History[2].Total < lite.History[0].Total);
    }

    [Fact]
    public void Train_WithoutAStep_LeavesNoAtYes()
    {
        (Embeddings images, Embeddings texts, Embeddings classes, _) = Pairs();
        ClipnLite lite = ClipnLite.Train(images, texts, _quick with { LearningRate = 1e-30, Epochs = 1 });
        Golden.AssertClose([.. classes.Values.ToArray().Select(v => (double)v)], [.. lite.NoText(classes).Values.ToArray().Select(v => (double)v)], 1e-6);
        Assert.All(lite.Ctw(images, classes), score => Assert.Equal(0.5, score, 1e-4));
    }

    [Fact]
    public void NoText_IsTheNormalisedMapOfTheText()
    {
        (Embeddings images, Embeddings texts, Embeddings classes, _) = Pairs();
        ClipnLite lite = ClipnLite.Train(images, texts, _quick with { Epochs = 5, Rank = 2 });
        Embeddings no = lite.NoText(classes);
        Assert.True(no.IsUnitNorm(1e-5));
        double[] raw = [.. Enumerable.Range(0, Width).Select(i => lite.Offset[i] + Enumerable.Range(0, Width).Sum(j => lite.Map[i, j] * classes[1][j]))];
        double norm = Math.Sqrt(raw.Sum(value => value * value));
        Golden.AssertClose([.. raw.Select(value => value / norm)], [.. no[1].ToArray().Select(v => (double)v)], 1e-5);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(6)]
    public void Scores_AfterTraining_TellForeignImagesFromOwn(int? rank)
    {
        (Embeddings images, Embeddings texts, Embeddings classes, Embeddings foreign) = Pairs();
        ClipnLite lite = ClipnLite.Train(images, texts, _quick with { Rank = rank });
        Assert.True(lite.History[^1].Total < 0.8 * lite.History[0].Total, $"{lite.History[0]} to {lite.History[^1]}");
        foreach ((IdScores own, IdScores other) in new[] { (lite.Ctw(images, classes), lite.Ctw(foreign, classes)), (lite.Atd(images, classes), lite.Atd(foreign, classes)) })
        {
            Assert.True(Metrics.Auroc(own, other) > 0.9, $"{own.Name}: {Metrics.Auroc(own, other)}");
            Assert.Contains("substitute", own.Name, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Train_WithTheSameSeed_GivesTheSameMap()
    {
        (Embeddings images, Embeddings texts, _, _) = Pairs();
        ClipnLite a = ClipnLite.Train(images, texts, _quick with { Epochs = 3 });
        ClipnLite b = ClipnLite.Train(images, texts, _quick with { Epochs = 3 });
        ClipnLite c = ClipnLite.Train(images, texts, _quick with { Epochs = 3, Seed = 2 });
        Golden.AssertClose(a.Map.Values.ToArray(), b.Map.Values.ToArray(), 1e-6);
        Assert.NotEqual(a.History[^1].Total, c.History[^1].Total, 1e-7);
    }

    [Fact]
    public void Train_ReportsEveryEpoch()
    {
        (Embeddings images, Embeddings texts, _, _) = Pairs();
        List<(int Epoch, ClipnLossValues Losses)> told = [];
        ClipnLite lite = ClipnLite.Train(images, texts, _quick with { Epochs = 3 }, (epoch, losses) => told.Add((epoch, losses)));
        Assert.Equal([1, 2, 3], told.Select(t => t.Epoch));
        Assert.Equal(lite.History.Skip(1), told.Select(t => t.Losses));
    }

    [Fact]
    public void Train_OfWhatDoesNotFit_SaysWhat()
    {
        (Embeddings images, Embeddings texts, Embeddings classes, _) = Pairs();
        Assert.Contains("expected (32, 12)", Message(() => ClipnLite.Train(images, classes, _quick)), StringComparison.Ordinal);
        Assert.Contains("at least 256, a batch", Message(() => ClipnLite.Train(images, texts)), StringComparison.Ordinal);
        Assert.Contains("Rank is 13, expected 1 to 12", Message(() => ClipnLite.Train(images, texts, _quick with { Rank = 13 })), StringComparison.Ordinal);
        Assert.Contains("BatchSize is 1", Message(() => ClipnLite.Train(images, texts, _quick with { BatchSize = 1 })), StringComparison.Ordinal);

        string Message(Action train) => Assert.Throws<ArgumentException>(train).Message;
    }

    /// <summary>
    /// Four classes whose images and texts lie about four axes, and images of none of them, about four other ones; all share a direction, as CLIP's
    /// features do.
    /// </summary>
    private static (Embeddings Images, Embeddings Texts, Embeddings Classes, Embeddings Foreign) Pairs()
    {
        Random random = new(3);
        double[] Around(int axis, double noise) =>
            [.. Enumerable.Range(0, Width).Select(d => (d == axis ? 1 : 0) + (d == 8 ? 1 : 0) + (noise * (random.NextDouble() - 0.5)))];

        Embeddings classes = Embeddings.FromRows([.. Enumerable.Range(0, 4).Select(k => Around(k, 0))]).Normalized();
        Embeddings images = Embeddings.FromRows([.. Enumerable.Range(0, 32).Select(i => Around(i % 4, 0.4))]).Normalized();
        Embeddings foreign = Embeddings.FromRows([.. Enumerable.Range(0, 32).Select(i => Around(4 + (i % 4), 0.4))]).Normalized();
        return (images, classes.Select([.. Enumerable.Range(0, 32).Select(i => i % 4)]), classes, foreign);
    }
}
