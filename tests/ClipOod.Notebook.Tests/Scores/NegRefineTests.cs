namespace ClipOod.Notebook.Tests;

public sealed class NegRefineTests
{
    private static readonly Embeddings _images = AtAngles(10, 80);
    private static readonly Embeddings _idTexts = AtAngles(0, 20);
    private static readonly Embeddings _negativeTexts = AtAngles(70, 90, 120);

    [Fact]
    public void MultiMatching_EqualsTheGoldenValue()
    {
        Golden golden = Golden.Get("negrefine_smm");
        IdScores score = NegRefine.MultiMatching(
            Matrix.FromRows(golden["inputs", "cos_pair"].Numbers), Matrix.FromRows(golden["inputs", "cos_neg"].Numbers));
        Golden.AssertClose(golden["expected", "s_mm"].Number, Assert.Single(score), Golden.ToleranceOfDoubles);
    }

    [Theory]
    [InlineData(100)]
    [InlineData(7)]
    public void Score_AddsTwiceTheBestPairToNegLabel(double logitScale)
    {
        HashSet<(int Id, int Negative)> asked = [];
        IdScores score = NegRefine.Score(_images, _idTexts, _negativeTexts, Pair, groups: 1, top: 1, logitScale: logitScale);
        // At top 1 each image has one pair: its nearest class and its nearest negative.
        Assert.Equal([(0, 0), (1, 0)], asked.Order());
        double[] expected = [.. Enumerable.Range(0, 2).Select(i =>
        {
            double pair = Math.Cos((10 + (70 * i) - 45) * Math.PI / 180);
            double alone = Math.Cos((10 + (70 * i) - 70) * Math.PI / 180);
            double negLabel = NegativeLabels.Score(
                Similarity.Cosines(_images, _idTexts), Similarity.Cosines(_images, _negativeTexts), groups: 1, logitScale: logitScale)[i];
            return negLabel + (2 / (1 + Math.Exp(-logitScale * (pair - alone))));
        })];
        Golden.AssertClose(expected, score.ToArray(), 1e-4);

        IReadOnlyList<float> Pair(int id, int negative)
        {
            Assert.True(asked.Add((id, negative)));
            return AtAngles(45)[0].ToArray();
        }
    }

    [Fact]
    public void Score_WithFewerNegativesThanTop_TakesThemAll()
    {
        HashSet<(int, int)> asked = [];
        NegRefine.Score(_images, _idTexts, _negativeTexts, (id, negative) =>
        {
            asked.Add((id, negative));
            return AtAngles(45)[0].ToArray();
        }, groups: 1);
        Assert.Equal(6, asked.Count);
    }

    [Fact]
    public void MeanPairText_LiesBetweenTheTwo() =>
        Golden.AssertClose([Math.Cos(55 * Math.PI / 180), Math.Sin(55 * Math.PI / 180)],
            [.. NegRefine.MeanPairText(_idTexts, _negativeTexts)(1, 1).Select(v => (double)v)], Golden.ToleranceOfSingles);

    [Fact]
    public void Score_OfBadInput_Throws()
    {
        Assert.Throws<ArgumentException>(() => NegRefine.Score(_images, _idTexts, _negativeTexts, (_, _) => [1f], groups: 1));
        Assert.Throws<ArgumentException>(() => NegRefine.Score(_images, _idTexts, _negativeTexts, (_, _) => [3f, 4f], groups: 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => NegRefine.Score(_images, _idTexts, _negativeTexts, (_, _) => [1f, 0f], groups: 1, top: 0));
        Assert.Throws<ArgumentException>(() => NegRefine.MultiMatching(Matrix.FromRows([0.1, 0.2]), Matrix.FromRows([0.1])));
    }

    [Fact]
    public void Score_OfNoImages_IsEmpty() => Assert.Empty(
        NegRefine.Score(new Embeddings(0, 2, default), _idTexts, _negativeTexts, (_, _) => [1f, 0f], groups: 1));

    private static Embeddings AtAngles(params double[] degrees) =>
        Embeddings.FromRows([.. degrees.Select(d => new[] { Math.Cos(d * Math.PI / 180), Math.Sin(d * Math.PI / 180) })]);
}
