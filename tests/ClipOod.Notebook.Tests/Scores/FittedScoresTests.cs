using CsCheck;

namespace ClipOod.Notebook.Tests;

public sealed class MahalanobisTests
{
    private static readonly Golden _golden = Golden.Get("mahalanobis");

    [Theory]
    [InlineData(MahalanobisConvention.Plp, "plp")]
    [InlineData(MahalanobisConvention.OpenOod, "openood")]
    [InlineData(MahalanobisConvention.Ninco, "openood")]
    [InlineData(MahalanobisConvention.PytorchOod, "pytorch_ood_rmd")]
    public void Distances_EqualTheGoldenValues(MahalanobisConvention convention, string section)
    {
        Golden expected = _golden["expected", section];
        Matrix query = _golden["inputs", "query"].Matrix;
        Mahalanobis fitted = Fit(convention);

        Golden.AssertClose([.. expected["class_distances"].Rows.SelectMany(row => row)], fitted.ClassDistances(query).Values.ToArray(), Golden.ToleranceOfDoubles);
        Golden.AssertClose(expected["background_distance"].Numbers, fitted.BackgroundDistances(query), Golden.ToleranceOfDoubles);
        Golden.AssertClose(expected["mds"].Numbers, fitted.Mds(query).ToArray(), Golden.ToleranceOfDoubles);
        Golden.AssertClose(expected["rmds"].Numbers, fitted.Rmd(query).ToArray(), Golden.ToleranceOfDoubles);
    }

    [Fact]
    public void Embeddings_GiveTheScoresOfTheSameMatrix()
    {
        Golden inputs = _golden["inputs"];
        Mahalanobis fitted = Mahalanobis.Fit(inputs["train"].Embeddings, inputs["labels"].WholeNumbers, 3);
        Golden.AssertClose(
            _golden["expected", "plp", "mds"].Numbers, fitted.Mds(inputs["query"].Embeddings).ToArray(), Golden.ToleranceOfSingles);
        Golden.AssertClose(
            _golden["expected", "plp", "rmds"].Numbers, fitted.Rmd(inputs["query"].Embeddings).ToArray(), Golden.ToleranceOfSingles);
    }

    [Theory]
    [InlineData(MahalanobisConvention.Plp)]
    [InlineData(MahalanobisConvention.OpenOod)]
    [InlineData(MahalanobisConvention.Ninco)]
    [InlineData(MahalanobisConvention.PytorchOod)]
    public void Scores_DoNotDependOnTheOrderOfTheTrainingRows(MahalanobisConvention convention) =>
        Gen.Int[0, 10_000].Sample(seed =>
        {
            (Matrix train, int[] labels, Matrix query) = Random(seed, rows: 40, width: 4, classes: 3);
            int[] order = [.. Enumerable.Range(0, 40)];
            new Random(seed + 1).Shuffle(order);
            Matrix shuffled = Matrix.FromRows([.. order.Select(i => train[i].ToArray())]);
            Golden.AssertClose(
                Mahalanobis.Fit(train, labels, 3, convention).Rmd(query).ToArray(),
                Mahalanobis.Fit(shuffled, [.. order.Select(i => labels[i])], 3, convention).Rmd(query).ToArray(),
                1e-7);
        }, iter: 50);

    [Fact]
    public void Mds_IsInvariantToAnInvertibleLinearMap() =>
        Gen.Int[0, 10_000].Sample(seed =>
        {
            (Matrix train, int[] labels, Matrix query) = Random(seed, rows: 60, width: 3, classes: 2);
            double[][] map = [[2, 0.5, 0], [0, -1, 0.3], [0.1, 0, 3]];
            Matrix Map(Matrix x) => Matrix.FromRows(
                [.. Enumerable.Range(0, x.Rows).Select(i => map.Select(m => m[0] * x[i, 0] + m[1] * x[i, 1] + m[2] * x[i, 2]).ToArray())]);
            Golden.AssertClose(
                Mahalanobis.Fit(train, labels, 2).Mds(query).ToArray(),
                Mahalanobis.Fit(Map(train), labels, 2).Mds(Map(query)).ToArray(),
                1e-7);
        }, iter: 50);

    [Fact]
    public void Mds_OfAClassMean_IsHigherThanFarAway()
    {
        Mahalanobis fitted = Fit(MahalanobisConvention.Plp);
        IdScores scores = fitted.Mds(Matrix.FromRows([1.05, 0.15], [9, 9]));
        Assert.True(scores[0] > scores[1]);
        Assert.Equal(0, scores[0], 1e-9);
    }

    [Fact]
    public void Fit_WithPlp_LeavesOutClassesOfOneSample()
    {
        Matrix train = Matrix.FromRows([0, 0], [1, 0], [0, 1], [5, 5]);
        Mahalanobis fitted = Mahalanobis.Fit(train, [0, 0, 0, 2], 3);
        Matrix distances = fitted.ClassDistances(train);
        Assert.All(Enumerable.Range(0, 4), i => Assert.True(double.IsFinite(distances[i, 0])));
        Assert.All(Enumerable.Range(0, 4), i => Assert.Equal((double.PositiveInfinity, double.PositiveInfinity), (distances[i, 1], distances[i, 2])));
    }

    [Fact]
    public void Fit_WithOtherConventions_RefusesAClassWithoutSample()
    {
        Matrix train = Matrix.FromRows([0, 0], [1, 0], [0, 1], [5, 5]);
        ArgumentException error = Assert.Throws<ArgumentException>(
            () => Mahalanobis.Fit(train, [0, 0, 0, 2], 3, MahalanobisConvention.OpenOod));
        Assert.Contains("Class 1 has no sample", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Fit_WhenNoClassHasTwoSamples_SaysSo()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => Mahalanobis.Fit(Matrix.FromRows([0, 0], [1, 0]), [0, 1], 2));
        Assert.Contains("No class has two samples", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Fit_WhenTheCovarianceIsSingular_SuggestsShrinkage_WhichHelps()
    {
        // The second feature is twice the first.
        Matrix train = Matrix.FromRows([0, 0], [1, 2], [3, 6], [4, 8]);
        InvalidOperationException error = Assert.Throws<InvalidOperationException>(() => Mahalanobis.Fit(train, [0, 0, 1, 1], 2));
        Assert.Contains("Mahalanobis.SuggestedShrinkage", error.Message, StringComparison.Ordinal);

        IdScores scores = Mahalanobis.Fit(train, [0, 0, 1, 1], 2, shrinkage: Mahalanobis.SuggestedShrinkage).Mds(train);
        Assert.All(scores, score => Assert.True(double.IsFinite(score)));
    }

    [Fact]
    public void Fit_WithOpenOod_TakesThePseudoInverseOfASingularCovariance()
    {
        // Along (1, 2) / √5 the class means lie at 0.5·√5 and 3.5·√5, and the variance is 0.25·5.
        Matrix train = Matrix.FromRows([0, 0], [1, 2], [3, 6], [4, 8]);
        Mahalanobis fitted = Mahalanobis.Fit(train, [0, 0, 1, 1], 2, MahalanobisConvention.OpenOod);
        Golden.AssertClose([-1, -1, -1, -1], fitted.Mds(train).ToArray(), 1e-9);
    }

    [Fact]
    public void Mds_WhenTheWidthDiffers_SaysSo()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => Fit(MahalanobisConvention.Plp).Mds(Matrix.FromRows([1, 2, 3])));
        Assert.Contains("width 3, expected 2", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Fit_WhenAFeatureIsNaN_NamesTheRow()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(
            () => Mahalanobis.Fit(Matrix.FromRows([0, 0], [double.NaN, 0]), [0, 0], 1));
        Assert.Contains("row 1 holds NaN", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Fit_WhenALabelIsOutOfRange_NamesIt()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => Mahalanobis.Fit(Matrix.FromRows([0, 0], [1, 0]), [0, 7], 2));
        Assert.Contains("Label 7 of row 1", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Fit_OnWideFeatures_AgreesWithTheDefinition()
    {
        (Matrix train, int[] labels, Matrix query) = Random(3, rows: 700, width: 40, classes: 5);
        Mahalanobis fitted = Mahalanobis.Fit(train, labels, 5, MahalanobisConvention.Ninco);

        var x = MathNet.Numerics.LinearAlgebra.Double.DenseMatrix.OfRowArrays(Enumerable.Range(0, 700).Select(i => train[i].ToArray()));
        var mean = (x.ColumnSums() / 700).ToArray();
        var centred = x.MapIndexed((_, j, value) => value - mean[j]);
        var inverse = (centred.TransposeThisAndMultiply(centred) / 700).Inverse();
        double[] expected = [.. Enumerable.Range(0, query.Rows).Select(i =>
        {
            var difference = MathNet.Numerics.LinearAlgebra.Double.DenseVector.OfEnumerable(query[i].ToArray().Zip(mean, (a, b) => a - b));
            return difference * (inverse * difference);
        })];
        Golden.AssertClose(expected, fitted.BackgroundDistances(query), 1e-9);
    }

    internal static (Matrix Train, int[] Labels, Matrix Query) Random(int seed, int rows, int width, int classes)
    {
        Random random = new(seed);
        double[][] centres = [.. Enumerable.Range(0, classes).Select(_ => Row(3))];
        double[] Row(double scale) => [.. Enumerable.Range(0, width).Select(_ => scale * (random.NextDouble() - 0.5))];
        int[] labels = [.. Enumerable.Range(0, rows).Select(i => i % classes)];
        return (
            Matrix.FromRows([.. labels.Select(c => Row(1).Zip(centres[c], (a, b) => a + b).ToArray())]),
            labels,
            Matrix.FromRows([.. Enumerable.Range(0, 5).Select(_ => Row(4))]));
    }

    private static Mahalanobis Fit(MahalanobisConvention convention) => Mahalanobis.Fit(
        _golden["inputs", "train"].Matrix, _golden["inputs", "labels"].WholeNumbers, _golden["inputs", "num_classes"].WholeNumber, convention);
}

public sealed class VimTests
{
    private static readonly Golden _golden = Golden.Get("vim");

    [Fact]
    public void Score_EqualsTheGoldenValues()
    {
        Vim fitted = Fit(_golden["inputs", "D"].WholeNumber);
        Embeddings query = _golden["inputs", "query"].Embeddings;
        Golden.AssertClose(_golden["expected", "u"].Numbers, [.. fitted.Origin], Golden.ToleranceOfSingles);
        Golden.AssertClose(_golden["expected", "alpha"].Number, fitted.Alpha, Golden.ToleranceOfSingles);
        Golden.AssertClose(_golden["expected", "residual"].Numbers, fitted.Residuals(query), Golden.ToleranceOfSingles);
        Golden.AssertClose(_golden["expected", "score"].Numbers, fitted.Score(query).ToArray(), Golden.ToleranceOfSingles);
    }

    [Fact]
    public void Fit_WithoutDimensions_TakesHalfTheWidth() => Assert.Equal(1, Fit(null).PrincipalDimensions);

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void Fit_WhenNoResidualWouldBeLeft_Throws(int dimensions) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Fit(dimensions));

    [Fact]
    public void Fit_WhenTheTrainingFeaturesHaveNoResidual_SaysSo()
    {
        Embeddings line = Embeddings.FromRows([1, 2], [2, 4], [3, 6]);
        InvalidOperationException error = Assert.Throws<InvalidOperationException>(
            () => Vim.Fit(line, Matrix.FromRows([1, 0], [0, 1]), [0, 0]));
        Assert.Contains("nothing is left as residual", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Fit_WhenTheHeadHasAnotherWidth_SaysSo()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(
            () => Vim.Fit(_golden["inputs", "train"].Embeddings, Matrix.FromRows([1, 0, 0]), [0]));
        Assert.Contains("width 3, expected 2", error.Message, StringComparison.Ordinal);
    }

    private static Vim Fit(int? dimensions) => Vim.Fit(
        _golden["inputs", "train"].Embeddings,
        _golden["inputs", "W"].Matrix,
        _golden["inputs", "b"].Numbers,
        dimensions);
}

public sealed class ReActTests
{
    private static readonly Golden _golden = Golden.Get("react");

    [Fact]
    public void Score_EqualsTheGoldenValues()
    {
        ReAct fitted = Fit(_golden["inputs", "percentile"].Number);
        Golden.AssertClose(_golden["expected", "threshold"].Number, fitted.Threshold, Golden.ToleranceOfSingles);
        Golden.AssertClose(
            _golden["expected", "score"].Numbers, fitted.Score(_golden["inputs", "query"].Embeddings).ToArray(), Golden.ToleranceOfSingles);
    }

    [Fact]
    public void Score_AtPercentile100_IsTheEnergyOfTheTrainingFeatures()
    {
        Embeddings train = _golden["inputs", "train"].Embeddings;
        Matrix weight = _golden["inputs", "W"].Matrix;
        double[] bias = _golden["inputs", "b"].Numbers;
        Matrix logits = Matrix.FromRows([.. Enumerable.Range(0, train.Rows).Select(i => Enumerable.Range(0, weight.Rows)
            .Select(k => (train[i][0] * weight[k][0]) + (train[i][1] * weight[k][1]) + bias[k]).ToArray())]);
        Golden.AssertClose(Scores.Energy(logits).ToArray(), Fit(100).Score(train).ToArray(), Golden.ToleranceOfSingles);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(101)]
    [InlineData(double.NaN)]
    public void Fit_WhenThePercentileIsNone_Throws(double percentile) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Fit(percentile));

    private static ReAct Fit(double percentile) => ReAct.Fit(
        _golden["inputs", "train"].Embeddings,
        _golden["inputs", "W"].Matrix,
        _golden["inputs", "b"].Numbers,
        percentile);
}
