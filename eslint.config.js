import neostandard from 'neostandard'
import tseslint from 'typescript-eslint'

const SOURCES = ['**/*.ts']
const MAX_COMMENT_LINES = 3

/** Finds comments of more than three lines in a row; doc comments are longer where they describe shapes and errors. */
const shortComments = {
  create: context => {
    const { sourceCode } = context
    const isOwnLine = ({ loc }) => sourceCode.lines[loc.start.line - 1].trim().startsWith('//')
    return {
      Program: () => {
        let length = 0
        let lastLine = 0
        for (const comment of sourceCode.getAllComments()) {
          if (comment.type !== 'Line' || !isOwnLine(comment)) continue
          length = comment.loc.start.line === lastLine + 1 ? length + 1 : 1
          lastLine = comment.loc.start.line
          if (length === MAX_COMMENT_LINES + 1) context.report({ loc: comment.loc, message: 'Say it in three lines.' })
        }
      }
    }
  }
}

export default [
  // Prettier sets the style; ESLint looks at what the code means.
  ...neostandard({
    ts: true,
    noStyle: true,
    ignores: ['dist/', 'dist-bench/', 'dist-test/', 'coverage/', '.tap/', 'data/', 'examples/fastify-service/**/*.ts']
  }),
  ...tseslint.configs.strictTypeChecked.map(config => ({ ...config, files: SOURCES })),
  {
    files: SOURCES,
    plugins: { house: { rules: { 'short-comments': shortComments } } },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      // A schema and the type that follows from it share a name; the compiler refuses what is really declared twice.
      '@typescript-eslint/no-redeclare': 'off',
      // A function of type `() => void` as a property is checked more strictly than a method, and needs no `this`.
      '@typescript-eslint/method-signature-style': ['error', 'property'],
      // SQLite answers at once behind interfaces that promise, and Fastify's plugins are asynchronous functions.
      '@typescript-eslint/require-await': 'off',
      // Says that nobody waits for a promise.
      'no-void': ['error', { allowAsStatement: true }],
      // What was caught is passed on as it came.
      '@typescript-eslint/prefer-promise-reject-errors': ['error', { allowThrowingUnknown: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // tap and node:test run what they are given, and tell what becomes of it, whether it is awaited or not.
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            { from: 'package', package: '@tapjs/core', name: ['test'] },
            { from: 'package', package: 'tap', name: ['test'] }
          ]
        }
      ],
      'house/short-comments': 'error',
      'max-lines': ['error', 250],
      'max-lines-per-function': ['error', { max: 40, skipBlankLines: true, skipComments: true }],
      // Prettier wraps code; this finds the comments that it leaves alone.
      'max-len': ['error', { code: 120, ignoreUrls: true, ignoreRegExpLiterals: true }]
    }
  },
  {
    files: SOURCES,
    ignores: ['test/**', 'bench/**', 'paths.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        { selector: 'MetaProperty', message: 'A bundle changes where a module is: take the path from paths.ts.' }
      ]
    }
  },
  {
    // What a test reads from a reply is JSON, and the test is what says what it must be.
    files: ['test/**/*.ts'],
    rules: {
      // A test tells one fact from its beginning to its end, and a file all facts of one thing.
      'max-lines': 'off',
      'max-lines-per-function': 'off',
      // What a test compares with is on one line, as it is printed.
      'max-len': [
        'error',
        { code: 120, ignoreStrings: true, ignoreTemplateLiterals: true, ignoreRegExpLiterals: true }
      ],
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off'
    }
  }
]
