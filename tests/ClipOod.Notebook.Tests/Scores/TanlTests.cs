namespace ClipOod.Notebook.Tests;

public sealed class TanlTests
{
    private static readonly Golden _golden = Golden.Get("tanl_cumulative");
    private static readonly Matrix _id = _golden["inputs", "cos_id"].Matrix;
    private static readonly Matrix _negative = _golden["inputs", "cos_neg"].Matrix;
    private static readonly Embeddings _idTexts = Embeddings.FromRows([1, 0, 0, 0, 0], [0, 1, 0, 0, 0]);
    private static readonly Embeddings _negativeTexts = Embeddings.FromRows([0, 0, 1, 0, 0], [0, 0, 0, 1, 0]);
    private static readonly TanlOptions _soft = new() { LogitScale = 10, BatchSize = 1, Gap = 0.2 };

    [Fact]
    public void Score_EqualsTheGoldenScores() =>
        Golden.AssertClose(_golden["expected", "score"].Numbers, Tanl.Score(_id, _negative).ToArray(), Golden.ToleranceOfDoubles);

    [Fact]
    public void Activations_EqualTheGoldenValues() => Golden.AssertClose(
        _golden["expected", "activation_per_negative"].Numbers, Tanl.Activations(_id, _negative), Golden.ToleranceOfDoubles);

    [Fact]
    public void Order_PutsFirstWhatOodActivatesMoreThanId() =>
        // Differences 0.25, −0.25, 0.5, 0.25: the tie in its order.
        Assert.Equal([2, 0, 3, 1], Tanl.Order([0.5, 0.25, 0.5, 0.75], [0.25, 0.5, 0, 0.5]));

    [Fact]
    public void Score_PunishesTheFirstNegativeMost()
    {
        Matrix id = Matrix.FromRows([0.2], [0.2]);
        IdScores scores = Tanl.Score(id, Matrix.FromRows([0.2, 0.1], [0.1, 0.2]));
        Assert.True(scores[0] < scores[1]);
        // By hand: ½(1/2 + 1/(2+e⁻¹⁰)) and ½(1/(1+e⁻¹⁰) + 1/(2+e⁻¹⁰)).
        double small = Math.Exp(-10);
        Golden.AssertClose([0.25 + (0.5 / (2 + small)), (0.5 / (1 + small)) + (0.5 / (2 + small))], scores.ToArray(), Golden.ToleranceOfDoubles);
    }

    [Fact]
    public void Stream_OfOneImage_IsScoredWithTheStartingQueues()
    {
        // Noise like negative 1: it comes first, whatever the ID texts, which activate both alike.
        Embeddings image = Embeddings.FromRows([0.3, 0, 0.1, 0.2, Math.Sqrt(0.86)]);
        Embeddings noise = Embeddings.FromRows([0, 0, 0, 1, 0]);
        double expected = Assert.Single(Tanl.Score(Matrix.FromRows([0.3, 0]), Matrix.FromRows([0.2, 0.1]), logitScale: 10));
        Assert.Equal(expected, Assert.Single(Tanl.Score(image, _idTexts, _negativeTexts, noise, _soft)), 1e-6);
    }

    [Fact]
    public void Stream_LearnsWhichNegativesAreActivated()
    {
        // The images before the last look like negative 1, so that it takes the first place from negative 0.
        double[] last = [0.3, 0, 0.1, 0.2, Math.Sqrt(0.86)];
        double[] like = [0, 0, 0, 0.6, 0.8];
        IdScores scores = Tanl.Score(Embeddings.FromRows(like, like, last), _idTexts, _negativeTexts, null, _soft);
        double expected = Assert.Single(Tanl.Score(Matrix.FromRows([0.3, 0]), Matrix.FromRows([0.2, 0.1]), logitScale: 10));
        Assert.Equal(expected, scores[2], 1e-6);
        double unlearnt = Assert.Single(Tanl.Score(Matrix.FromRows([0.3, 0]), Matrix.FromRows([0.1, 0.2]), logitScale: 10));
        Assert.Equal(unlearnt, Assert.Single(Tanl.Score(Embeddings.FromRows(last), _idTexts, _negativeTexts, null, _soft)), 1e-6);
    }

    [Fact]
    public void Stream_WithASmallQueue_ForgetsTheOldest()
    {
        double[] last = [0.3, 0, 0.1, 0.2, Math.Sqrt(0.86)];
        double[] likeFirst = [0, 0, 0.6, 0, 0.8];
        double[] likeSecond = [0, 0, 0, 0.6, 0.8];
        TanlOptions one = _soft with { QueueLength = 1 };
        Assert.Equal(
            Tanl.Score(Embeddings.FromRows(likeSecond, last), _idTexts, _negativeTexts, null, one)[1],
            Tanl.Score(Embeddings.FromRows(likeFirst, likeFirst, likeSecond, last), _idTexts, _negativeTexts, null, one)[3],
            1e-9);
        TanlOptions many = _soft with { QueueLength = 3 };
        Assert.NotEqual(
            Tanl.Score(Embeddings.FromRows(likeSecond, last), _idTexts, _negativeTexts, null, many)[1],
            Tanl.Score(Embeddings.FromRows(likeFirst, likeFirst, likeSecond, last), _idTexts, _negativeTexts, null, many)[3],
            1e-2);
    }

    [Fact]
    public void Stream_WithFewerSelectedLabels_IgnoresTheOthers()
    {
        Embeddings image = Embeddings.FromRows([0.3, 0, 0.1, 0.2, Math.Sqrt(0.86)]);
        Embeddings noise = Embeddings.FromRows([0, 0, 0, 1, 0]);
        double expected = Assert.Single(Tanl.Score(Matrix.FromRows([0.3, 0]), Matrix.FromRows([0.2]), logitScale: 10));
        Assert.Equal(expected, Assert.Single(Tanl.Score(image, _idTexts, _negativeTexts, noise, _soft with { SelectedLabels = 1 })), 1e-6);
    }

    [Fact]
    public void Stream_IsTheSameEachTimeAndMayBeEmpty()
    {
        Embeddings stream = AdaNegTests.RandomImages(50, seed: 1);
        Assert.Equal(Tanl.Score(stream, _idTexts, _negativeTexts), Tanl.Score(stream, _idTexts, _negativeTexts));
        Assert.Empty(Tanl.Score(new Embeddings(0, 5, default), _idTexts, _negativeTexts));
    }

    [Fact]
    public void BadInput_Throws()
    {
        Embeddings stream = AdaNegTests.RandomImages(2, seed: 1);
        Assert.Throws<ArgumentOutOfRangeException>(() => Tanl.Score(stream, _idTexts, _negativeTexts, null, _soft with { QueueLength = 0 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => Tanl.Score(stream, _idTexts, _negativeTexts, null, _soft with { SelectedLabels = 0 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => Tanl.Score(stream, _idTexts, _negativeTexts, null, _soft with { Gap = 2 }));
        Assert.Throws<ArgumentException>(() => Tanl.Activations(new Matrix(0, 2, default), new Matrix(0, 2, default)));
        Assert.Throws<ArgumentException>(() => Tanl.Order([0.1], [0.1, 0.2]));
    }
}
