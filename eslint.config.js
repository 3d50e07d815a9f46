import neostandard from 'neostandard'

export default [
  ...neostandard({ ts: true, ignores: ['dist/', 'coverage/', '.tap/', 'data/'] }),
  {
    files: ['**/*.ts'],
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      // A schema and the type that follows from it share a name; the compiler refuses what is really declared twice.
      '@typescript-eslint/no-redeclare': 'off'
    }
  }
]
