namespace ClipOod.Notebook.Tests;

public sealed class NearestNeighborsTests
{
    private static readonly Golden _golden = Golden.Get("knn");
    private static readonly Embeddings _query = _golden["inputs", "query"].Embeddings.Normalized();
    private static readonly NearestNeighbors _neighbors = NearestNeighbors.Fit(_golden["inputs", "train"].Embeddings.Normalized());

    [Theory]
    [InlineData("nn1_cosine", 1, KnnRule.KthCosine)]
    [InlineData("nn1_cosine", 1, KnnRule.MeanCosine)]
    [InlineData("kth_cosine_k2", 2, KnnRule.KthCosine)]
    [InlineData("mean_top2_cosine", 2, KnnRule.MeanCosine)]
    [InlineData("plp_exp_top1", 1, KnnRule.MeanExp)]
    [InlineData("plp_exp_mean_top2", 2, KnnRule.MeanExp)]
    [InlineData("openood_k1", 1, KnnRule.OpenOod)]
    [InlineData("openood_k2", 2, KnnRule.OpenOod)]
    public void Cosine_EqualsTheGoldenScores(string name, int k, KnnRule rule) =>
        Golden.AssertClose(_golden["expected", name].Numbers, _neighbors.Cosine(_query, k, rule).ToArray(), Golden.ToleranceOfSingles);

    [Fact]
    public void Cosine_WithTemperature_EqualsTheGoldenScoresInCosineUnits() =>
        // exp(c / 0.02) magnifies single-precision rounding fifty times, so the scores are compared as cosines.
        Golden.AssertClose(
            [.. _golden["expected", "plp_tempexp_mean_top2"].Numbers.Select(s => Math.Log(s) * NearestNeighbors.Temperature)],
            [.. _neighbors.Cosine(_query, 2, KnnRule.MeanTemperatureExp).Select(s => Math.Log(s) * NearestNeighbors.Temperature)],
            Golden.ToleranceOfSingles);

    [Fact]
    public void Search_FindsTheGoldenNeighbours()
    {
        int[,] indices = _neighbors.Search(_query).Indices;
        Assert.Equal(_golden["expected", "nn_index"].WholeNumbers, Enumerable.Range(0, _query.Rows).Select(i => indices[i, 0]));
    }

    [Fact]
    public void Classify_LetsANearNeighbourOutvoteTwoFarOnes()
    {
        // Angles in degrees: the query at 0; class 1 at 5, class 0 at 25 and 30. By count class 0 wins, by weight class 1.
        NearestNeighbors neighbors = NearestNeighbors.Fit(AtAngles(25, 30, 5));
        Assert.Equal([1], neighbors.Classify(AtAngles(0), [0, 0, 1], k: 3));
        Assert.Equal(0.5, neighbors.Accuracy(AtAngles(0, 28), [1, 1], [0, 0, 1], k: 3));
    }

    [Fact]
    public void Classify_WhenLabelsAreMissing_SaysHowMany()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => _neighbors.Classify(_query, [0, 1]));
        Assert.Contains("Got 2 labels for 6 training embeddings", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Classify_WhenALabelIsNegative_Throws() =>
        Assert.Throws<ArgumentException>(() => _neighbors.Classify(_query, [0, 1, 0, -1, 0, 0]));

    [Fact]
    public void Fit_OfNoRows_Throws() => Assert.Throws<ArgumentException>(() => NearestNeighbors.Fit(new Embeddings(0, 3, default)));

    private static Embeddings AtAngles(params double[] degrees) =>
        Embeddings.FromRows([.. degrees.Select(d => new[] { Math.Cos(d * Math.PI / 180), Math.Sin(d * Math.PI / 180) })]);
}
